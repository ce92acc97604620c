import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { freePorts } from "../../scripts/services.mjs";
import { formatNames } from "../../src/ingest/formats/index.ts";
import { connectKafka } from "../../src/kafka/client.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { jsonRows, runCli } from "../support/cli.ts";
import { createTopic } from "../support/create-topic.ts";
import { root } from "../support/data.ts";
import { pythonTool } from "../support/python-tool.ts";
import { services } from "../support/services.ts";
import { until } from "../support/until.ts";

const folder = join(root, "deploy/shippers");
const files = readdirSync(folder);
const read = (name: string) => readFileSync(join(folder, name), "utf8");
const topic = "app-logs";

describe("deploy/shippers", () => {
  it("has a configuration for each shipper", () => {
    const shippers = ["filebeat", "fluent-bit", "fluentd", "logstash", "otel-collector", "rsyslog", "vector"];
    expect(files.map((name) => name.replace(/\.\w+$/, "")).sort()).toEqual(shippers);
  });

  it.each(files)("%s says its format, and takes brokers and topic as the others do", (name) => {
    const text = read(name);
    const [, format] = /In the pipeline: format: ([\w-]+)/.exec(text) ?? [];
    expect(formatNames).toContain(format);
    expect(text).toContain("KAFKA_BROKERS");
    expect(text).toContain(topic);
    expect(text).toMatch(/order is kept/);
  });

  it.each(files.filter((name) => /\.ya?ml$/.test(name)))("%s is YAML without a double key", (name) => {
    const { errors, warnings } = parseDocument(read(name), { uniqueKeys: true });
    expect([...errors, ...warnings]).toEqual([]);
  });

  it("logstash.conf is of Logstash's grammar", () => {
    const parse = [
      "import sys",
      "from logstash_pipeline_parser import Pipeline",
      "print(Pipeline(sys.stdin.read()).parse())",
    ].join("\n");
    const { status, output } = pythonTool(
      "logstash-pipeline-parser==0.0.3",
      "python",
      ["-c", parse],
      read("logstash.conf"),
    );
    expect(status, output).toBe(0);
  });

  it("fluentd.conf closes each section that it opens", () => {
    const open: string[] = [];
    for (const line of read("fluentd.conf").split("\n")) {
      const [, ends, name = ""] = /^\s*<(\/)?(\w+)[^>]*>\s*$/.exec(line) ?? [];
      if (name === "") continue;
      if (ends === undefined) open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });
});

describe("rsyslog", () => {
  const own = mkdtempSync(join(tmpdir(), "logguardian-rsyslog-"));
  const main = join(own, "rsyslog.conf");
  let daemon: ChildProcess | undefined;
  let way: Server | undefined;
  afterAll(() => {
    daemon?.kill();
    way?.close();
  });

  it("takes rsyslog.conf, and LogGuardian reads what it sends, once Kafka can be reached", async () => {
    const [port = 0] = await freePorts(1);
    // The way to Kafka, which is closed at first.
    const { hostname, port: brokerPort } = new URL(`tcp://${services.kafka.broker}`);
    let isOpen = false;
    let refused = 0;
    way = createServer((socket) => {
      if (!isOpen) {
        refused++;
        return socket.destroy();
      }
      const broker = connect(Number(brokerPort), hostname);
      socket.on("error", () => broker.destroy()).pipe(broker);
      broker.on("error", () => socket.destroy()).pipe(socket);
    }).listen(0, "127.0.0.1");
    await once(way, "listening");
    const { port: wayPort } = way.address() as AddressInfo;
    const env = { ...process.env, KAFKA_BROKERS: `127.0.0.1:${wayPort}` };
    const shipped = read("rsyslog.conf");
    const file = join(own, "logguardian.conf");
    // As it is shipped, but for the place of what is kept over a restart.
    writeFileSync(file, shipped.replace("/var/spool/rsyslog", own));
    expect(shipped).toContain("/var/spool/rsyslog");
    writeFileSync(
      main,
      `global(workDirectory="${own}")
module(load="imptcp")
input(type="imptcp" address="127.0.0.1" port="${port}")
include(file="${file}")
`,
    );
    const check = spawnSync("rsyslogd", ["-N1", "-f", main], { env, encoding: "utf8" });
    expect(check.stderr).not.toMatch(/error/i);
    expect(check.status, check.stderr).toBe(0);

    const client = await connectKafka(
      { brokers: [services.kafka.broker], clientId: "test" },
      { logger: silentLogger },
    );
    await createTopic(client.admin, topic, 3);
    const log = join(own, "log");
    daemon = spawn("rsyslogd", ["-n", "-f", main, "-i", join(own, "pid")], {
      env,
      stdio: ["ignore", openSync(log, "w"), openSync(log, "a")],
    });
    const sender = connect(port, "127.0.0.1").on("error", () => undefined);
    await until(
      () => {
        if (sender.readyState === "closed") sender.connect(port, "127.0.0.1");
        return sender.readyState === "open";
      },
      `rsyslogd listens. ${readFileSync(log, "utf8")}`,
    );
    const messages = Array.from(
      { length: 20 },
      (_, place) => `Invalid user webmaster${place} from 173.234.31.186`,
    );
    for (const [place, message] of messages.entries())
      sender.write(`<38>Nov 28 06:55:${String(10 + place)} labsz sshd[24200]: ${message}\n`);
    sender.write("<38>1 2026-11-28T06:55:46.123+01:00 labsz cron 77 - - (root) CMD (true)\n");
    sender.end();

    const before = refused;
    await until(() => refused > before + 1, "rsyslogd has asked for Kafka in vain");
    isOpen = true;
    const ended = async () => {
      const found = await client.admin.fetchTopicOffsets(topic);
      return found.reduce((sum, { high }) => sum + Number(high), 0) >= messages.length + 1;
    };
    await until(ended, "Kafka holds all lines", 120_000);
    await client.close();

    const args = ["decode", "--topic", topic, "--format", "syslog", "--limit", "100", "--json"];
    const decoded = await runCli(args, "", { LOGGUARDIAN_KAFKA_BROKERS: services.kafka.broker });
    expect(decoded.status, decoded.stderr).toBe(0);
    const rows = jsonRows(decoded);
    const sshd = rows.filter(({ text }) => text.startsWith("Invalid"));
    // In one partition, and so in order.
    expect(new Set(sshd.map(({ partition }) => partition)).size).toBe(1);
    expect(sshd.map(({ text }) => text)).toEqual(messages);
    const [cron] = rows.filter((row) => !sshd.includes(row));
    expect(cron).toMatchObject({
      text: "(root) CMD (true)",
      time: "2026-11-28T05:55:46.123Z",
      timeFrom: "shipper",
    });
    for (const { origin } of rows) expect(origin).toEqual({ host: "labsz" });
    daemon.kill("SIGTERM");
    const [code] = await once(daemon, "exit");
    expect(code, readFileSync(log, "utf8")).toBe(0);
  });
});
