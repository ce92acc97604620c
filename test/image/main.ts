// `npm run test:image`: what deploy/Dockerfile says, carried out step by step by Buildah, and what it gives run as an
// orchestrator would at its strictest. Prints what holds; ends with 1 at the first that does not.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import kafkajs from "kafkajs";
import { stringify } from "yaml";
import { freePorts, startServices } from "../../scripts/services.mjs";
import { check } from "../support/stream.ts";
import { until } from "../support/until.ts";
import { createBuilder, type Image } from "./build.ts";

const compilers = /^(cc|c\+\+|g\+\+|gcc|clang|cc1|make|ld|as|python3?)(-\d+)?$/;
const readyWithinMs = 240_000;

type Started = ChildProcessByStdio<null, Readable, Readable>;

const store = mkdtempSync(join(tmpdir(), "logguardian-image-"));
const builder = createBuilder(store);
try {
  told("The base is made of Debian's packages, Node and npm.", () => builder.makeBase());
  const image = told("Every step of deploy/Dockerfile runs.", () => builder.build("localhost/node"));
  await checkContent(image);
  await checkRun(image);
} finally {
  builder.close();
  rmSync(store, { recursive: true, force: true });
}
console.log("The image is good. What needs a container host: docs/deployment.md.");

async function checkContent({ folder, config }: Image): Promise<void> {
  const programs = ["bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin"].flatMap((path) =>
    readdirSync(join(folder, path)),
  );
  const found = programs.filter((name) => compilers.test(name));
  check(found.length === 0, `there is no compiler in the image, but ${found}`);
  check(/^[1-9]\d*:[1-9]\d*$/.test(config.User), `it runs as a number that is not root, not ${config.User}`);
  const packages = readdirSync(join(folder, "app/node_modules/@node-llama-cpp"));
  check(packages.length === 1, `it has the library of one machine's processor, not ${packages}`);
  console.log("It has no compiler, no GPU's libraries, and a user that is not root.");
}

async function checkRun(image: Image): Promise<void> {
  const touched = await ended(start(image, "", ["touch", "/app/x", "/etc/x", "/var/x"]));
  check(touched.code === 1 && !touched.output.includes("/tmp"), "nothing but /tmp can be written");
  const verified = await ended(start(image, "", ["logguardian", "model", "verify"]));
  check(verified.code === 0, `the model runs in it: ${verified.output}`);
  console.log(`It runs read-only, without capabilities. ${verified.output.trim().split("\n").at(-2)}`);
  await checkApiAlone(image);

  const services = await startServices();
  try {
    const [port = 0] = await freePorts(1);
    const configuration = join(store, "logguardian.yaml");
    writeFileSync(configuration, stringify(configOn(services, port)));
    await makeTopic(services.kafka.broker);
    // Its network is this machine's: whatever listens here is not in its way.
    const begin = ["LOGGUARDIAN_API_PORT=0", ...image.config.Entrypoint, ...image.config.Cmd];
    const all = start(image, configuration, begin);
    const output = text(all.stdout);
    const [, ...command] = image.config.Healthcheck.Test.map((part) => part.replace(":9464/", `:${port}/`));
    await until(
      async () => {
        if (all.exitCode !== null) throw new Error(`It ended: ${await output}`);
        return (await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined))?.ok === true;
      },
      "all roles are ready",
      readyWithinMs,
    );
    const health = await ended(start(image, configuration, command));
    check(health.code === 0, `its health check is green: ${health.output}`);
    all.kill("SIGTERM");
    const [code] = await once(all, "exit");
    check(code === 0, `it stops in order: ${await output}`);
    const after = await ended(start(image, configuration, command));
    check(after.code === 1, "its health check is red where nothing runs");
    console.log(
      "All roles run in it on Kafka and Redis, its health check tells, and SIGTERM ends it in order.",
    );
  } finally {
    await services.stop();
  }
}

async function checkApiAlone(image: Image): Promise<void> {
  const [port = 0] = await freePorts(1);
  const api = start(image, "", [`LOGGUARDIAN_API_PORT=${port}`, ...image.config.Entrypoint, "start", "api"]);
  const output = text(api.stdout);
  await until(
    async () => {
      if (api.exitCode !== null) throw new Error(`It ended: ${await output}`);
      return (await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.ok === true;
    },
    "the API answers",
    readyWithinMs,
  );
  api.kill("SIGTERM");
  const [code] = await once(api, "exit");
  check(code === 0, `the API stops in order: ${await output}`);
  console.log("The API runs in it without a configuration, without Kafka and Redis.");
}

function configOn({ kafka, redis }: Awaited<ReturnType<typeof startServices>>, port: number) {
  return {
    kafka: { brokers: [kafka.broker] },
    redis: { url: redis.url },
    http: { port },
    pipelines: { app: { topics: ["raw"], format: "text", partitions: 1, window: { kind: "session" } } },
  };
}

async function makeTopic(broker: string): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: "raw", numPartitions: 1 }] });
  await admin.disconnect();
}

/** A command within the image; without a configuration, where that is empty. */
function start({ folder, config }: Image, configuration: string, command: string[]): Started {
  const script = join(import.meta.dirname, "run-in-image.sh");
  const as = [config.User, config.WorkingDir, ...config.Env];
  const args = ["--mount", "sh", script, folder, configuration, ...as, ...command];
  return spawn("unshare", args, { stdio: ["ignore", "pipe", "pipe"] });
}

async function ended(child: Started): Promise<{ code: number | null; output: string }> {
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { code, output: output + errors };
}

function told<T>(what: string, step: () => T): T {
  const begun = performance.now();
  const result = step();
  console.log(`${what} (${Math.round((performance.now() - begun) / 1000)} s)`);
  return result;
}
