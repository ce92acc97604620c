import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type kafkajs from "kafkajs";
import { afterEach, expect, it } from "vitest";
import { createLineTokenizer } from "../../src/embed/tokenizer.ts";
import { connectRedis } from "../../src/redis/client.ts";
import { createRedisScoringMarks } from "../../src/redis/scoring-marks.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { starterBundle } from "../support/data.ts";
import { services } from "../support/services.ts";
import { Stream } from "../support/stream.ts";

const tries = 3;
const poison = "beethoven";

let stream: Stream | undefined;
afterEach(() => stream?.abandon());

it("each of several poison windows costs three processes, though those before it come again", async () => {
  stream = new Stream(services, `test-poison-${Date.now()}`);
  const topic = `${stream.prefix}-raw`;
  stream.configure({
    pipelines: {
      poison: {
        topics: [topic],
        from: "earliest",
        format: "json",
        window: { kind: "sliding", size: 2, stride: 2 },
        partitions: 1,
        publish: "all",
      },
    },
    limits: { sessionTimeout: "6s" },
    // One after another: the first verdict is published and hardly committed when the next window ends the process.
    inference: { batchSize: 1 },
  });
  await stream.createTopic(topic, 1);
  await stream.createTopic(`${stream.prefix}.anomalies`, 1);
  for (const role of ["ingester", "windower"]) await stream.start(role);
  const producer = stream.kafka.producer();
  await producer.connect();
  const words = [poison, poison, "bach"];
  const messages = words.flatMap((word) => [1, 2].map(() => ({ value: JSON.stringify({ message: word }) })));
  await producer.send({ topic, messages });
  await producer.disconnect();

  const verdictsIn = (read: readonly kafkajs.KafkaMessage[]) =>
    new Map(
      read.map(({ value }) => {
        const { event, logguardian } = JSON.parse(String(value)) as Anomaly;
        return [event.id, [logguardian.lines[0]?.text, logguardian.reason]];
      }),
    );
  const reading = stream.read(
    `${stream.prefix}.anomalies`,
    (read) => verdictsIn(read).size >= words.length,
    250_000,
  );
  const read = reading.then(() => "read");
  const [, token] = createLineTokenizer(join(starterBundle, "tokenizer.json"), 100).encode(poison);
  const preload = pathToFileURL(join(import.meta.dirname, "../integrity/poison-preload.mjs")).href;
  const environment = { NODE_OPTIONS: `--import ${preload}`, POISON_FATAL: String(token) };
  let crashes = 0;
  let { child } = stream.launch("detector", environment);
  while ((await Promise.race([read, once(child, "exit").then(([, signal]) => signal)])) === "SIGABRT") {
    crashes++;
    ({ child } = stream.launch("detector", environment));
  }
  expect([...verdictsIn(await reading).values()].sort()).toEqual([
    ["bach", undefined],
    [poison, "LG_SCORER_CRASHED"],
    [poison, "LG_SCORER_CRASHED"],
  ]);
  expect(crashes).toBe(2 * tries);

  // Once that is committed nothing is left of it.
  const redis = await connectRedis(
    { url: services.redis.url },
    { logger: silentLogger, health: createHealth() },
  );
  const marks = createRedisScoringMarks(redis, `${stream.prefix}.poison`);
  await expect.poll(() => marks.left(), { timeout: 30_000 }).toEqual(new Map());
  await redis.close();
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
  await stream.stop();
});
