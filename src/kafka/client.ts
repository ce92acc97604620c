import kafkajs, { type Admin, type Kafka, type KafkaConfig } from "kafkajs";
import { readPem } from "../config/pem.ts";
import type { Config } from "../config/schema.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import { registerCodecs } from "./compression.ts";

const connectTries = 4;

/** kafkajs sets timers that lie in the past, harmlessly; Node would warn of it on standard error. */
function silenceTimerWarning(): void {
  const listeners = process.listeners("warning");
  if (listeners.some(({ name }) => name === "exceptNegativeTimeouts")) return;
  process.removeAllListeners("warning");
  process.on("warning", function exceptNegativeTimeouts(warning) {
    if (warning.name !== "TimeoutNegativeWarning") for (const listener of listeners) listener(warning);
  });
}

export interface KafkaClient {
  kafka: Kafka;
  admin: Admin;
  close(): Promise<void>;
}

/** Connects, so that a wrong address or password is known at once. @throws LogGuardianError LG_KAFKA_*. */
export async function connectKafka(config: Config["kafka"], deps: { logger: Logger }): Promise<KafkaClient> {
  const { logger } = deps;
  silenceTimerWarning();
  registerCodecs();
  const kafka = new kafkajs.Kafka({
    clientId: config.clientId,
    brokers: config.brokers,
    ...securityOf(config),
    connectionTimeout: 5_000,
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries: connectTries },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => {
      const { message, timestamp: _, logger: __, stack: ___, ...fields } = entry.log;
      // What kafkajs calls an error it mostly heals itself; what it cannot heal is thrown or crashes the consumer.
      logger.debug(`kafkajs: ${message}`, { from: entry.namespace, ...fields });
    },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.describeCluster();
  } catch (thrown) {
    await admin.disconnect().catch(() => undefined);
    throw kafkaError(thrown, config.brokers);
  }
  return { kafka, admin, close: () => admin.disconnect() };
}

function securityOf({ tls, sasl }: Config["kafka"]): Partial<KafkaConfig> {
  return {
    ...(tls === undefined ? {} : { ssl: readPem(tls, "kafka.tls") }),
    ...(sasl === undefined ? {} : { sasl: sasl as NonNullable<KafkaConfig["sasl"]> }),
  };
}

/** What went wrong with Kafka, in a sentence. */
export function kafkaError(thrown: unknown, brokers: readonly string[]): LogGuardianError {
  const all = causesOf(thrown);
  const own = all.find((cause) => cause instanceof LogGuardianError);
  if (own !== undefined) return own;
  const where = `Kafka at ${brokers.join(", ")}`;
  const reason = reasonOf(thrown);
  if (all.some((cause) => /SASL/.test(kindOf(cause))) || /certificate|SSL/i.test(reason))
    return new LogGuardianError(
      "LG_KAFKA_AUTH",
      `${where} refuses the connection: ${reason}.`,
      "Check kafka.sasl and kafka.tls.",
      thrown,
    );
  if (all.some((cause) => /AUTHORIZATION_FAILED/.test(kindOf(cause))))
    return new LogGuardianError(
      "LG_KAFKA_DENIED",
      `${where} denies an operation: ${reason}.`,
      "Give this user read and write access to the topics and groups that ARCHITECTURE.md lists.",
      thrown,
    );
  if (all.some((cause) => /NotImplemented|UNSUPPORTED/.test(kindOf(cause))))
    return new LogGuardianError(
      "LG_KAFKA_UNSUPPORTED",
      `${where} asks for what is not supported here: ${reason}.`,
      "Use a broker of version 2.1 or later, and gzip, snappy, lz4, zstd or no compression.",
      thrown,
    );
  return new LogGuardianError(
    "LG_KAFKA_AWAY",
    `${where} does not answer: ${reason}.`,
    "Start it, or correct kafka.brokers (LOGGUARDIAN_KAFKA_BROKERS).",
    thrown,
  );
}

/** Whether it only means that the broker is away, which passes. */
export function isAway(thrown: unknown): boolean {
  return thrown instanceof LogGuardianError && thrown.code === "LG_KAFKA_AWAY";
}

/** Whether kafkajs says of a failure that it found no broker, which passes. */
export function meansAway(thrown: unknown): boolean {
  return causesOf(thrown).some((cause) =>
    /^KafkaJS(GroupCoordinatorNotFound|BrokerNotFound|Connection|RequestTimeout)/.test(cause.name),
  );
}

/** Whether another try may help: the broker is away, moving or slow. */
export function isTransient(thrown: unknown): boolean {
  if (thrown instanceof LogGuardianError) return false;
  return !causesOf(thrown).some((cause) =>
    /SASL|AUTHORIZATION|MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE|INVALID|UNSUPPORTED|NotImplemented/.test(
      kindOf(cause),
    ),
  );
}

function causesOf(thrown: unknown): Error[] {
  const causes: Error[] = [];
  for (let at = thrown; at instanceof Error && causes.length < 10; at = at.cause) causes.push(at);
  return causes;
}

/** kafkajs' name of an error and Kafka's own. */
function kindOf(cause: Error): string {
  return `${cause.name} ${(cause as { type?: unknown }).type ?? ""}`;
}
