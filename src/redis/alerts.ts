import { createHash } from "node:crypto";
import type { ActiveAlert, AlertState, AlertStore } from "../alert/store.ts";
import { alertKeys } from "./alert-keys.ts";
import type { RedisClient } from "./client.ts";
import { createRedisSuppressions } from "./suppressions.ts";

/** Repeats come after a crash, or after windows were rebuilt: hours later at most, not days. */
const knownForMs = 24 * 3_600_000;
/** Per identity: about 1 MB. */
const knownIds = 10_000;
/** Of the open windows of an identity: the oldest beyond are not quoted again. */
const keptAnnotations = 100;
const forgottenAtATime = 1000;
/** An alert that goes on for longer may end a little later for each Alertmanager. */
const toldForMs = 2 * knownForMs;

export interface AlertStoreOptions {
  /** An alert ends so long after its last window. */
  holdMs: number;
  /** Alerts that are told one by one at most. A storm ends when half as many go on. */
  maxActive: number;
}

/** @param name of the pipeline, unique in that Redis. */
export function createRedisAlerts(redis: RedisClient, name: string, options: AlertStoreOptions): AlertStore {
  const { holdMs, maxActive } = options;
  const keys = alertKeys(name);
  const knownFor = Math.max(knownForMs, 2 * holdMs);
  const suppressions = createRedisSuppressions(redis, name);
  const raised = (id: string) => `${keys.base}:raised:${id}`;
  const keysOf = ({ identity, id }: { identity: string; id: string }) => [
    keys.alerts,
    `${keys.base}:ids:${identity}`,
    `${keys.base}:annotations:${identity}`,
    raised(id),
    keys.active,
  ];
  const toldKey = (alertmanager: string) =>
    `${keys.base}:told:${createHash("sha256").update(alertmanager).digest("hex").slice(0, 16)}`;

  return {
    async seen(window, now) {
      const [isSuppressed, isStorm, ...alerts] = (await redis.script(
        "alert-seen",
        [...keysOf(window), keys.storm, keys.suppressed, keys.keptQuiet],
        [JSON.stringify(window), now, holdMs, knownFor, knownIds, keptAnnotations, maxActive],
      )) as [number, number, ...string[]];
      return { isSuppressed: isSuppressed === 1, isStorm: isStorm === 1, alerts: alerts.map(alertIn) };
    },
    async raisedAs(id) {
      const identity = await redis.script("alert-raised", [raised(id)], []);
      return typeof identity === "string" && identity !== "-" ? identity : undefined;
    },
    async withdraw(window, now) {
      const { identity, id } = window;
      const left = await redis.script("alert-withdraw", keysOf(window), [identity, id, now, knownFor]);
      return typeof left === "string" ? alertIn(left) : undefined;
    },
    async undecided({ id, reason }, now) {
      const begins = await redis.script(
        "alert-undecided",
        [keys.undecided, keys.reasons, `${keys.undecided}:ids`],
        [id, reason, now, holdMs, knownFor, knownIds],
      );
      return begins === 1;
    },
    async state() {
      const [alerts, storm, undecided, reasons] = await Promise.all(
        [keys.alerts, keys.storm, keys.undecided, keys.reasons].map((key) => redis.hash(key, 100)),
      );
      const state: AlertState = {
        alerts: [...(alerts?.values() ?? [])].map((bytes) => alertIn(bytes.toString())),
        suppressions: await suppressions.list(),
      };
      const storming = numbersIn(storm);
      if (storming.openedAt !== undefined)
        state.storm = { openedAt: storming.openedAt, ...given({ endedAt: storming.endedAt }) };
      const { openedAt, lastSeen, endsAt, times } = numbersIn(undecided);
      if (openedAt !== undefined && lastSeen !== undefined && endsAt !== undefined && times !== undefined)
        state.undecided = { openedAt, lastSeen, endsAt, times, reasons: numbersIn(reasons) };
      return state;
    },
    async calm(now) {
      await redis.script(
        "alert-calm",
        [keys.alerts, keys.active, keys.storm],
        [now, Math.floor(maxActive / 2)],
      );
    },
    async forget(ended) {
      for (let from = 0; from < ended.length; from += forgottenAtATime)
        await redis.script(
          "alert-forget",
          [keys.alerts],
          ended
            .slice(from, from + forgottenAtATime)
            .flatMap((alert) => [fieldOf(alert), alert.openedAt, alert.endsAt]),
        );
    },
    async toldAt(alertmanager, names) {
      const times = (await redis.script("alert-told-at", [toldKey(alertmanager)], [...names])) as string[];
      return times.map((time) => (time === "" ? undefined : Number(time)));
    },
    async setTold(alertmanager, names, now) {
      if (names.length > 0)
        await redis.script("alert-told", [toldKey(alertmanager)], [now, now - toldForMs, ...names]);
    },
  };
}

/** As `alert-seen.lua` writes it. */
function alertIn(written: string): ActiveAlert {
  return JSON.parse(written) as ActiveAlert;
}

function fieldOf({ identity, isReplaced }: ActiveAlert): string {
  return isReplaced ? `${identity} replaced` : identity;
}

function numbersIn(hash: ReadonlyMap<string, Buffer> | undefined): Record<string, number> {
  return Object.fromEntries([...(hash ?? [])].map(([name, written]) => [name, Number(written)]));
}

function given(fields: { endedAt: number | undefined }): { endedAt?: number } {
  return fields.endedAt === undefined ? {} : { endedAt: fields.endedAt };
}
