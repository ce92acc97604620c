import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { stringify } from "yaml";
import { encodeFeedback } from "../../src/codec/feedback.ts";
import { parseConfig } from "../../src/config/load.ts";
import { topicNames } from "../../src/pipeline/names.ts";
import { type AlerterTiming, createAlerterRole } from "../../src/pipeline/roles/alerter.ts";
import { openServices, type Role, type Services } from "../../src/pipeline/services.ts";
import { createRedisSuppressions } from "../../src/redis/suppressions.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { feedbackOn } from "../../src/verdict/feedback.ts";
import { anomalyFor, type Told } from "./anomalies.ts";
import { services } from "./services.ts";
import { Stream } from "./stream.ts";

/** As short as a busy machine allows: alerts must live through outages. A configuration takes no hold below five minutes. */
export const timing: AlerterTiming = { holdMs: 20_000, resendEveryMs: 500, endedForMs: 60_000 };

interface Running {
  role: Role;
  services: Services;
  giveUp: AbortController;
}

/** An alerter in this process, on real services, with the times of a test. */
export class Alerting {
  readonly pipeline = `p-${Date.now()}`;
  readonly stream: Stream;
  readonly #timing: AlerterTiming;
  readonly #config: ReturnType<typeof parseConfig>;
  #running: Running[] = [];
  #ids = 0;

  constructor(
    settings: { alertmanager: object; alert?: object; api?: object },
    ofTest: Partial<AlerterTiming> = {},
  ) {
    this.stream = new Stream(services, `test-alerting-${Date.now()}`);
    this.#timing = { ...timing, ...ofTest };
    const { alertmanager, alert = {}, api = {} } = settings;
    const pipeline = { topics: ["raw"], format: "text", window: { kind: "session" }, alert };
    const whole = {
      kafka: { brokers: [services.kafka.broker] },
      redis: { url: services.redis.url },
      topics: { prefix: this.stream.prefix },
      alertmanager,
      api,
      pipelines: { [this.pipeline]: pipeline },
    };
    this.#config = parseConfig(stringify(whole), "test");
    this.stream.configure({ alertmanager, api, pipelines: { [this.pipeline]: pipeline } });
  }

  /** One more of them. */
  async start(): Promise<void> {
    const giveUp = new AbortController();
    const base = { config: this.#config, logger: silentLogger, signal: giveUp.signal };
    const opened = await openServices({ ...base, health: createHealth(), metrics: createMetrics() });
    const options = this.#config.pipelines[this.pipeline];
    if (options === undefined) throw new Error("The pipeline is configured.");
    const role = await createAlerterRole(
      { services: opened, pipeline: this.pipeline, options },
      this.#timing,
    );
    await role.start();
    this.#running.push({ role, services: opened, giveUp });
  }

  /** @param isPatient else what waits is left undone, as a process leaves it that may wait no longer. */
  async stop(isPatient = true, ending = this.#running): Promise<void> {
    this.#running = this.#running.filter((one) => !ending.includes(one));
    for (const { role, services: opened, giveUp } of ending) {
      if (!isPatient) giveUp.abort();
      await role.stop().catch((thrown) => {
        if (isPatient) throw thrown;
      });
      giveUp.abort();
      await opened.close();
    }
  }

  /** Of the one that was started first. */
  stopFirst(): Promise<void> {
    return this.stop(true, this.#running.slice(0, 1));
  }

  waits(): string[] {
    return this.#running.flatMap(({ services: opened }) => opened.health.state().waits);
  }

  /** What a metric says now, under labels such as `state="told"`. */
  async metric(name: string, labels = ""): Promise<number | undefined> {
    const text = (await this.#running[0]?.services.metrics.text()) ?? "";
    const row = text
      .split("\n")
      .find((one) => one.startsWith(`logguardian_${name}{`) && one.includes(labels));
    return row === undefined ? undefined : Number(row.split(" ").at(-1));
  }

  /** Publishes verdicts; those that have no id are new ones. */
  async publish(...told: (Partial<Told> & Omit<Told, "id" | "pipeline">)[]): Promise<Anomaly[]> {
    const anomalies = told.map((one) =>
      anomalyFor({ id: `${this.pipeline}-${this.#ids++}`, pipeline: this.pipeline, ...one }),
    );
    await this.#send(
      topicNames(this.#config, this.pipeline).anomalies,
      anomalies.map((anomaly) => ({ key: anomaly.logguardian.key, value: JSON.stringify(anomaly) })),
    );
    return anomalies;
  }

  /** One that was published then, milliseconds. */
  async publishAt(time: number, told: Omit<Told, "id" | "pipeline">): Promise<void> {
    const anomaly = anomalyFor({ id: `${this.pipeline}-${this.#ids++}`, pipeline: this.pipeline, ...told });
    const message = { key: anomaly.logguardian.key, value: JSON.stringify(anomaly), timestamp: String(time) };
    await this.#send(topicNames(this.#config, this.pipeline).anomalies, [message]);
  }

  /** New windows with these fingerprints every second, until it is called. */
  keepPublishing(...told: Parameters<Alerting["publish"]>): () => Promise<void> {
    const end = new AbortController();
    const going = (async () => {
      while (!end.signal.aborted) {
        await this.publish(...told);
        await sleep(1000, undefined, { signal: end.signal }).catch(() => undefined);
      }
    })();
    return async () => {
      end.abort();
      await going;
    };
  }

  async say(
    anomaly: Anomaly,
    judgement: "confirmed" | "false-alarm" | "undone",
    until?: number,
  ): Promise<void> {
    const said = { judgement, at: Date.now(), by: "a tester", ...(until === undefined ? {} : { until }) };
    await this.#send(topicNames(this.#config, this.pipeline).feedback, [
      { key: anomaly.event.id, value: encodeFeedback(feedbackOn(anomaly, said)) },
    ]);
  }

  async suppressions() {
    const redis = await this.#running[0]?.services.redis();
    if (redis === undefined) throw new Error("The alerter runs.");
    return createRedisSuppressions(redis, `${this.stream.prefix}.${this.pipeline}`).list();
  }

  /** As a Redis that was started anew without its data. */
  async loseRedis(): Promise<void> {
    const redis = new Redis(services.redis.url);
    const keys = await redis.keys(`lg:v1:{${this.stream.prefix}.*`);
    if (keys.length > 0) await redis.del(...keys);
    await redis.quit();
  }

  async #send(
    topic: string,
    messages: { key: string; value: string | Buffer; timestamp?: string }[],
  ): Promise<void> {
    const producer = this.stream.kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages });
    await producer.disconnect();
  }
}
