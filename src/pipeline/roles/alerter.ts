import { type ActiveAnomaly, type Alert, type AlertContent, alertOf, contentOf } from "../../alert/alert.ts";
import { createAlertmanager } from "../../alert/alertmanager.ts";
import { durationOf } from "../../config/load.ts";
import { reasonOf } from "../../errors.ts";
import type { RawRecord } from "../../ingest/line.ts";
import { createRedisActiveAnomalies } from "../../redis/active-anomalies.ts";
import { type Anomaly, type EarlyStage, parseAnomaly } from "../../verdict/anomaly.ts";
import { sharedTopicPartitions, stateName, topicNames } from "../names.ts";
import { consumerFor, createBury, type Role, type RoleContext } from "../services.ts";

/** Alertmanager forgets everything when it restarts; active alerts are told again this often. */
const resendEveryMs = 60_000;

/** The anomalies topic to Alertmanager. Which anomalies go on is kept in Redis. */
export async function createAlerterRole(context: RoleContext): Promise<Role> {
  const { services, pipeline, options } = context;
  const { config, topics, metrics, logger } = services;
  const { anomalies } = topicNames(config, pipeline);
  await topics.ensure(anomalies, { partitions: sharedTopicPartitions, exactly: false });
  const bury = await createBury(context, "alerter");
  const active = createRedisActiveAnomalies(await services.redis(), stateName(config, pipeline));
  const alertmanager = createAlertmanager(config.alertmanager, services);
  const holdMs = durationOf(options.alert.hold);
  if (config.alertmanager.urls.length === 0)
    logger.warn("alertmanager.urls is empty: nobody is alerted.", { pipeline });

  /** A verdict with its lines is large: a slice of them is not held, only what is told of each. */
  interface Told {
    id: string;
    verdict: Anomaly["logguardian"]["verdict"];
    early: EarlyStage | undefined;
    fingerprint: string;
    content: AlertContent;
  }

  function toldOf(anomaly: Anomaly): Told[] {
    const { verdict, early, pipeline: whose, fingerprint = "none" } = anomaly.logguardian;
    if (!options.alert.enabled || whose !== pipeline) return [];
    if (verdict !== "anomalous" && early === undefined) return [];
    const content = contentOf(anomaly, options.alert.labels);
    return [{ verdict, early, id: anomaly.event.id, fingerprint, content }];
  }

  async function alert(found: readonly Told[]): Promise<void> {
    if (found.length === 0) return;
    // Many windows of one fingerprint are one alert: the newest says it all.
    const alerts = new Map<string, Alert>();
    const tell = (one: ActiveAnomaly | undefined) => one && alerts.set(one.fingerprint, alertOf(one));
    for (const { verdict, early, id, fingerprint, content } of found) {
      const now = Date.now();
      const raised = early === undefined || early === "raised" ? undefined : await active.raisedAs(id);
      // Of an undecided window nothing is known: its alert goes on until its time is over.
      const isDecided = verdict !== "undecided" || early === "moved";
      const isOver = raised !== undefined && isDecided && (early !== "confirmed" || raised !== fingerprint);
      if (isOver) tell(await active.withdraw({ fingerprint: raised, id, now }));
      if (verdict !== "anomalous" || early === "moved") continue;
      const stage = early === "raised" ? early : raised === fingerprint ? "confirmed" : undefined;
      tell(await active.seen({ fingerprint, id, now, holdMs, content, stage }));
    }
    await alertmanager.post([...alerts.values()]);
    metrics.alerts.inc({ pipeline }, alerts.size);
  }

  /** Tells again what goes on, and once what has ended. */
  async function resend(): Promise<void> {
    const now = Date.now();
    const all = await active.all();
    await alertmanager.post(all.map(alertOf));
    metrics.alerts.inc({ pipeline }, all.length);
    await active.forget(all.filter(({ endsAt }) => endsAt < now));
  }

  const consumer = consumerFor(context, "alerter", [anomalies], async ({ committed, log }) => {
    let position = committed === undefined || committed.offset > log.end ? log.start : committed.offset;
    return {
      position,
      async process(records) {
        const found: Told[] = [];
        const unreadable: { record: RawRecord; error: unknown }[] = [];
        for (const record of records) {
          try {
            found.push(...toldOf(parseAnomaly(record.value)));
          } catch (error) {
            unreadable.push({ record, error });
          }
        }
        await bury(unreadable);
        await alert(found);
        position = (records.at(-1)?.offset ?? position - 1) + 1;
      },
      commitPoint: () => ({ offset: position, metadata: "" }),
    };
  });

  let timer: NodeJS.Timeout | undefined;
  let resending: Promise<void> = Promise.resolve();
  return {
    ...consumer,
    async start() {
      await consumer.start();
      const again = () => {
        resending = resending
          .then(resend)
          .catch((thrown) =>
            logger.warn("Active alerts could not be sent again.", { error: reasonOf(thrown) }),
          );
      };
      again();
      timer = setInterval(again, resendEveryMs);
    },
    async stop() {
      clearInterval(timer);
      await consumer.stop();
      await resending;
    },
  };
}
