// `npm run test:collector`: ends with 1 where LogGuardian does not read what the collector writes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServices } from "../../scripts/services.mjs";
import { jsonRows, runCli } from "../support/cli.ts";
import { root } from "../support/data.ts";
import { check, Stream } from "../support/stream.ts";
import { until } from "../support/until.ts";

const own = mkdtempSync(join(tmpdir(), "logguardian-collector-"));
const [logs, store, output] = [join(own, "log"), join(own, "store"), join(own, "output")];
for (const folder of [logs, store]) mkdirSync(folder);
// As it is shipped, but for the two places.
const shipped = readFileSync(join(root, "deploy/shippers/otel-collector.yaml"), "utf8");
const moved = shipped.replace("/var/log/app", logs).replace("/var/lib/otelcol", store);
check(moved.includes(logs) && moved.includes(store), "the configuration names files and storage");
const configuration = join(own, "otel-collector.yaml");
writeFileSync(configuration, moved);

const services = await startServices();
const environment = { KAFKA_BROKERS: services.kafka.broker, HOSTNAME: "web1" };
const collector = spawn(join(root, "build/otelcol/otelcol"), ["--config", configuration], {
  env: { ...process.env, ...environment },
  stdio: ["ignore", openSync(output, "w"), openSync(output, "a")],
});
try {
  await new Stream(services).createTopic("app-logs", 3);
  const said = () => readFileSync(output, "utf8");
  await until(() => said().includes("Everything is ready"), `the collector is ready. ${said()}`, 60_000);
  const lines = Array.from(
    { length: 50 },
    (_, place) => `2026-11-28 10:00:${10 + place} INFO Request ${place} served`,
  );
  appendFileSync(join(logs, "app.log"), `${lines.join("\n")}\n`);
  const args = ["decode", "--topic", "app-logs", "--format", "otlp-json", "--limit", "100", "--json"];
  const read = async () => {
    const decoded = await runCli(args, "", { LOGGUARDIAN_KAFKA_BROKERS: services.kafka.broker });
    check(decoded.status === 0, `the records can be read: ${decoded.stderr}`);
    return decoded.stdout === "" ? [] : jsonRows(decoded);
  };
  await until(async () => (await read()).length >= lines.length, `all lines are there. ${said()}`, 60_000);
  const rows = await read();
  check(
    JSON.stringify(rows.map(({ text }) => text)) === JSON.stringify(lines),
    "lines are whole and in order",
  );
  check(
    rows.every(({ origin }) => origin.host === "web1" && origin.file === join(logs, "app.log")),
    `each line has its host and file, not ${JSON.stringify(rows[0]?.origin)}`,
  );
  console.log(
    `LogGuardian reads the ${rows.length} lines that the collector sent, in order, with host and file.`,
  );
} finally {
  collector.kill();
  if (collector.exitCode === null) await once(collector, "exit");
  await services.stop();
  rmSync(own, { recursive: true, force: true });
}
