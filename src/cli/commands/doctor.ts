import { existsSync } from "node:fs";
import { styleText } from "node:util";
import { counted } from "../../alert/wording.ts";
import { loadAddon } from "../../classify/addon.ts";
import { defaultConfigFile, loadConfig, pipelineOf, rawTopicsOf, windowSpecOf } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { availableProviders } from "../../embed/providers.ts";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import { connectKafka } from "../../kafka/client.ts";
import { assertPartitions, createTopics } from "../../kafka/topics.ts";
import { defaultBundleDir, loadBundle } from "../../model/bundle.ts";
import { alertmanagersOf } from "../../pipeline/alerting.ts";
import { topicNames } from "../../pipeline/names.ts";
import { withModel } from "../../pipeline/open-model.ts";
import { checkWindow } from "../../pipeline/stages.ts";
import { connectRedis } from "../../redis/client.ts";
import { createHealth } from "../../telemetry/health.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import { findUv } from "../../uv.ts";
import { exitCodes } from "../exit-codes.ts";

/** What is looked at, and what it answers when all is well; it throws what is wrong. */
type Check = [name: string, check: () => Promise<string>];

const here: Check[] = [
  ["Node", async () => `${process.version}, ${process.execPath}`],
  ["native addon", async () => loadAddon().then(() => "built")],
  ["ONNX Runtime", async () => `execution providers: ${availableProviders().join(", ")}`],
  ["starter bundle", async () => `${(await loadBundle(defaultBundleDir())).manifest.version}, files match`],
  [
    "model",
    () =>
      withModel(
        {},
        async ({ embedder, scorer }) => `encoder on ${embedder.provider}, language model on ${scorer.device}`,
      ),
  ],
];

export async function doctorCommand(options: { config?: string }): Promise<void> {
  for (const check of here) await run(check);
  await run(["uv", async () => findUv("training and the benchmark's methods in Python")], {
    isOptional: true,
  });
  const file = options.config ?? process.env.LOGGUARDIAN_CONFIG ?? defaultConfigFile;
  if (options.config === undefined && !existsSync(file)) {
    note(`services: there is no ${file} here; --config names one`);
    return;
  }
  let config: Config | undefined;
  await run([
    "configuration",
    async () => {
      config = loadConfig(file);
      return `${file}: pipelines ${Object.keys(config.pipelines).join(", ")}`;
    },
  ]);
  const loaded = config;
  if (loaded === undefined) return;
  for (const check of servicesOf(loaded)) await run(check);
  for (const name of Object.keys(loaded.pipelines))
    await run([`pipeline ${name}`, () => pipelineState(loaded, name)]);
}

/** What `start` would refuse, and what it would read. @throws LogGuardianError LG_BUNDLE_*, LG_WINDOW_SPEC, LG_TOPIC_*, LG_KAFKA_*. */
async function pipelineState(config: Config, name: string): Promise<string> {
  const pipeline = pipelineOf(config, name);
  const { kafka } = config;
  const { manifest } = await loadBundle(pipeline.bundle ?? defaultBundleDir());
  checkWindow(windowSpecOf(pipeline.window), manifest.window.maxLines);
  const client = await connectKafka(kafka, deps());
  try {
    const topics = createTopics(client.admin, { ...config.topics, brokers: kafka.brokers, retentionMs: 0 });
    const read = await Promise.all(
      rawTopicsOf(pipeline).map(
        async (topic) => `${topic.name} (${counted(await topics.partitions(topic.name), "partition")})`,
      ),
    );
    const { lines } = topicNames(config, name);
    const known = await client.admin.listTopics();
    if (known.includes(lines)) assertPartitions(lines, await topics.partitions(lines), pipeline.partitions);
    return `reads ${read.join(", ")}; judged by ${manifest.name} ${manifest.version}`;
  } finally {
    await client.close();
  }
}

const deps = () => ({ logger: silentLogger, health: createHealth() });

function servicesOf({ kafka, redis, alertmanager }: Config): Check[] {
  return [
    [
      "Kafka",
      async () => {
        const client = await connectKafka(kafka, deps());
        const { brokers } = await client.admin.describeCluster();
        await client.close();
        return `${counted(brokers.length, "broker")} at ${kafka.brokers.join(", ")}`;
      },
    ],
    [
      "Redis",
      async () => {
        const client = await connectRedis(redis, deps());
        const [answer, policy] = await Promise.all([client.ping(), client.evictionPolicy()]);
        await client.close();
        if (policy === undefined)
          return `answers ${answer}, but not what it throws away when its memory is full (INFO is refused): see that its maxmemory-policy is noeviction`;
        if (policy !== "noeviction") throw evicts(policy);
        return `answers ${answer}`;
      },
    ],
    ...alertmanager.urls.map(
      (url): Check => [
        "Alertmanager",
        async () => {
          const [one] = alertmanagersOf({ alertmanager: { ...alertmanager, urls: [url] } });
          return `${await one?.version()} at ${url}`;
        },
      ],
    ),
  ];
}

function note(text: string): void {
  console.log(`${styleText("dim", "--")}    ${text}`);
}

function evicts(policy: string): LogGuardianError {
  return new LogGuardianError(
    "LG_REDIS_EVICTS",
    `It throws away open windows when its memory is full (maxmemory-policy ${policy}).`,
    "Set maxmemory-policy to noeviction: then they are waited for, not rebuilt again and again.",
  );
}

/** @param isOptional most can do without. */
async function run([name, check]: Check, { isOptional = false } = {}): Promise<void> {
  try {
    console.log(`${styleText("green", "ok")}    ${name}: ${await check()}`);
  } catch (thrown) {
    if (isOptional) return note(`${name}: ${reasonOf(thrown)}`);
    const remedy = thrown instanceof LogGuardianError ? ` ${thrown.remedy}` : "";
    console.log(`${styleText("red", "FAIL")}  ${name}: ${reasonOf(thrown)}${remedy}`);
    process.exitCode = exitCodes.failed;
  }
}
