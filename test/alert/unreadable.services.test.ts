import kafkajs from "kafkajs";
import { afterEach, expect, it } from "vitest";
import { Alerting } from "../support/alerting.ts";
import { TestAlertmanager } from "../support/alertmanager.ts";

const patience = { timeout: 60_000, interval: 100 };

let opened: { end(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.map((one) => one.end()));
  opened = [];
});

it("a batch of the anomalies topic that cannot be unpacked is one dead letter that says so; what follows it is told", async () => {
  const am = await TestAlertmanager.create();
  opened.push(am);
  await am.start();
  const lg = new Alerting({ alertmanager: { urls: [am.url] } });
  opened.push({ end: () => lg.stop(false) });
  await lg.start();
  const producer = lg.stream.kafka.producer();
  await producer.connect();
  const bomb = { partition: 0, value: Buffer.alloc(33 * 2 ** 20) };
  await producer.send({
    topic: `${lg.stream.prefix}.anomalies`,
    compression: kafkajs.CompressionTypes.GZIP,
    messages: [bomb, bomb],
  });
  await producer.disconnect();
  await lg.publish(...["f1", "f2", "f3", "f4"].map((fingerprint) => ({ fingerprint })));
  await expect.poll(() => am.firing(), patience).toHaveLength(4);
  const letters = await lg.stream.read(`${lg.stream.prefix}.dead-letters`, (read) => read.length > 0, 30_000);
  expect(
    letters.map(({ headers }) => [String(headers?.["lg-role"]), String(headers?.["lg-reason"])]),
  ).toEqual([["alerter", "LG_KAFKA_BATCH_SIZE"]]);
  await lg.stop();
});
