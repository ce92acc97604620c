import { type Brief, briefOf, takeIn } from "../../alert/intake.ts";
import type { AlertState } from "../../alert/store.ts";
import { createTeller, untoldForMs } from "../../alert/teller.ts";
import { isEnded, nameOf, suppressionOf, tellablesOf } from "../../alert/telling.ts";
import { durationOf } from "../../config/load.ts";
import { reasonOf } from "../../errors.ts";
import type { Assignment } from "../../kafka/consumer.ts";
import type { PartitionWorker } from "../../kafka/partition-worker.ts";
import { createRedisAlerts } from "../../redis/alerts.ts";
import { createRedisSuppressions } from "../../redis/suppressions.ts";
import { repeatedly } from "../../repeatedly.ts";
import { parseAnomaly } from "../../verdict/anomaly.ts";
import { alertmanagersOf, contentOptionsOf } from "../alerting.ts";
import { feedbackTopic, sharedTopicPartitions, stateName, topicNames } from "../names.ts";
import { consumerFor, createBury, decodeOwn, type Role, type RoleContext } from "../services.ts";
import { createFeedbackReader } from "./feedback-reader.ts";

export interface AlerterTiming {
  /** An alert ends so long after its last window. */
  holdMs: number;
  /** Alertmanager forgets everything when it restarts; what goes on is told again this often. */
  resendEveryMs: number;
  /** Ended ones are told again for so long. */
  endedForMs?: number;
}

/** The anomalies topic to Alertmanager, but for what the feedback topic suppresses. Which anomalies go on is kept in Redis. */
export async function createAlerterRole(
  context: RoleContext,
  { holdMs, resendEveryMs, endedForMs }: AlerterTiming = {
    holdMs: durationOf(context.options.alert.hold),
    resendEveryMs: 60_000,
  },
): Promise<Role> {
  const { services, pipeline, options } = context;
  const { config, topics, metrics, logger } = services;
  const { anomalies, feedback } = topicNames(config, pipeline);
  await topics.ensure(anomalies, { partitions: sharedTopicPartitions, exactly: false });
  await topics.ensure(feedback, feedbackTopic);
  const bury = await createBury(context, "alerter");
  const redis = await services.redis();
  const name = stateName(config, pipeline);
  const { maxActive } = options.alert;
  const store = createRedisAlerts(redis, name, { holdMs, maxActive });
  const suppressions = createRedisSuppressions(redis, name);
  const contentOptions = contentOptionsOf(config, options);
  const told = (state: Pick<AlertState, "alerts" | "suppressions">) =>
    tellablesOf(state, { ...contentOptions, pipeline, now: Date.now(), holdMs });
  const alertmanagers = alertmanagersOf(config);
  if (alertmanagers.length === 0) logger.warn("alertmanager.urls is empty: nobody is alerted.", { pipeline });
  const teller = createTeller(
    {
      ...services,
      alertmanagers,
      store,
      current: async () => told(await store.state()),
      onTold: (alerts) => metrics.alerts.inc({ pipeline }, alerts),
    },
    { holdMs, endedForMs },
  );
  /** What is read and then told is told before anything newer is: an alert that has ended must not be told as one that goes on. */
  let last: Promise<unknown> = Promise.resolve();
  function inTurn(step: () => Promise<void>): Promise<void> {
    const turn = last.then(step);
    last = turn.catch(() => undefined);
    return turn;
  }
  const tellAll = async () => teller.tell(told(await store.state()));
  const reader = createFeedbackReader(
    { suppressions, bury, logger },
    { pipeline, partitions: await topics.partitions(feedback), onChange: () => inTurn(tellAll) },
  );

  async function alert(briefs: readonly Brief[]): Promise<void> {
    const { alerts, isMore, suppressed } = await takeIn(store, briefs);
    metrics.suppressedWindows.inc({ pipeline }, suppressed);
    if (isMore) await tellAll();
    else if (alerts.length > 0) await teller.tell(told({ alerts, suppressions: await suppressions.list() }));
  }

  /** Undefined of a verdict that does not alert here. */
  function briefIn(bytes: Buffer): Brief | undefined {
    const anomaly = parseAnomaly(bytes);
    if (!options.alert.enabled || anomaly.logguardian.pipeline !== pipeline) return undefined;
    return briefOf(anomaly, contentOptions);
  }

  async function anomaliesWorker({ committed, log }: Assignment): Promise<PartitionWorker> {
    let position = committed === undefined || committed.offset > log.end ? log.start : committed.offset;
    return {
      position,
      async process(records) {
        const all = (await decodeOwn(records, briefIn, bury)).flatMap(({ record: { timestamp }, message }) =>
          message === undefined ? [] : [{ timestamp, brief: message }],
        );
        const due = all.filter(({ timestamp }) => Date.now() - timestamp < untoldForMs);
        const briefs = due.map(({ brief }) => brief);
        const verdicts = all.length - due.length;
        if (verdicts > 0)
          logger.info("Verdicts of more than a day ago alert nobody any more.", { pipeline, verdicts });
        if (briefs.length > 0) {
          await reader.read();
          await inTurn(() => alert(briefs));
        }
        position = (records.at(-1)?.offset ?? position - 1) + 1;
      },
      commitPoint: () => ({ offset: position, metadata: "" }),
    };
  }

  /** Tells again what goes on and what has ended, and forgets what everybody knows to have ended. */
  async function resend(): Promise<void> {
    await store.calm(Date.now());
    const state = await store.state();
    const now = Date.now();
    count(state, now);
    const tellables = told(state);
    await teller.tell(tellables);
    const finished = new Set((await teller.finished(tellables, now)).map(({ name }) => name));
    await store.forget(
      state.alerts.filter((one) => one.endsAt < now && (one.isHeldBack || finished.has(nameOf(one)))),
    );
  }

  function count({ alerts, suppressions: known }: AlertState, now: number): void {
    const counts = { told: 0, "held-back": 0, suppressed: 0 };
    for (const one of alerts) {
      if (isEnded(one, now)) continue;
      const isSuppressed = suppressionOf(one, known, now) !== undefined;
      counts[isSuppressed ? "suppressed" : one.isHeldBack ? "held-back" : "told"]++;
    }
    for (const [state, alerts] of Object.entries(counts))
      metrics.activeAlerts.set({ pipeline, state }, alerts);
  }

  const consumer = consumerFor(context, "alerter", [anomalies, feedback], (assignment) =>
    assignment.topic === feedback ? reader.worker(assignment) : anomaliesWorker(assignment),
  );
  metrics.onCollect(() => metrics.alertmanagersAway.set({ pipeline }, teller.away()));
  let resending: ReturnType<typeof repeatedly> | undefined;
  return {
    ...consumer,
    async start() {
      await consumer.start();
      resending = repeatedly(
        () => inTurn(resend),
        resendEveryMs,
        (thrown) => logger.warn("Active alerts could not be sent again.", { error: reasonOf(thrown) }),
      );
      resending.now();
    },
    async stop() {
      const resent = resending?.stop();
      reader.close();
      try {
        await consumer.stop();
      } finally {
        teller.close();
        await resent;
      }
    },
  };
}
