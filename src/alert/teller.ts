import { LogGuardianError, reasonOf } from "../errors.ts";
import { retry } from "../retry.ts";
import type { Health } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import { alertOf } from "./alert.ts";
import { type Alertmanager, isAway } from "./alertmanager.ts";
import type { AlertStore } from "./store.ts";
import type { Tellable } from "./telling.ts";

/** Ended ones are told again for so long: an Alertmanager may restart before it has told of the end. Prometheus does the same. */
const endedForMs = 15 * 60_000;
/** Who comes later than that does not hear of what began and ended meanwhile. */
export const untoldForMs = 24 * 3_600_000;

/** Tells every Alertmanager. One that is away holds up no other: it is told all when it is back. */
export interface Teller {
  /** Resolves when the first has them; waits as long as none does. @throws LogGuardianError LG_ALERTMANAGER_ALERTS where none takes what it is told. */
  tell(what: readonly Tellable[]): Promise<void>;
  /** Those that have ended, and of which all Alertmanagers that are there have long heard. */
  finished(what: readonly Tellable[], now: number): Promise<Tellable[]>;
  /** How many Alertmanagers do not answer. */
  away(): number;
  /** Ends all that is under way. */
  close(): void;
}

export interface TellerOptions {
  /** An alert goes on at least so long after an Alertmanager first hears of it. */
  holdMs: number;
  endedForMs?: number | undefined;
}

export function createTeller(
  deps: {
    alertmanagers: readonly Alertmanager[];
    store: Pick<AlertStore, "toldAt" | "setTold">;
    /** All that is to be told now. */
    current: () => Promise<Tellable[]>;
    onTold: (alerts: number) => void;
    logger: Logger;
    health: Health;
    signal?: AbortSignal;
  },
  options: TellerOptions,
): Teller {
  const { store, logger, health } = deps;
  const { holdMs, endedForMs: endedFor = endedForMs } = options;
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, ...(deps.signal === undefined ? [] : [deps.signal])]);
  let endWait: (() => void) | undefined;

  /** Nothing is heard by anybody: a wait that has a name. */
  function watch(): void {
    const isDeaf = targets.length > 0 && targets.every((target) => target.isAway());
    if (isDeaf) endWait ??= health.wait("alertmanager-away");
    else {
      endWait?.();
      endWait = undefined;
    }
  }

  /** When what is told ends for an Alertmanager: one that hears of it late is not told of its end before it has told people. */
  function endFor({ isOver, endsAt }: Tellable, toldAt: number | undefined, now: number): number {
    return isOver ? endsAt : Math.max(endsAt, (toldAt ?? now) + holdMs);
  }

  async function withTimes(url: string, what: readonly Tellable[]) {
    const times = await store.toldAt(
      url,
      what.map(({ name }) => name),
    );
    return what.map((one, place) => ({ one, toldAt: times[place] }));
  }

  function createTarget(alertmanager: Alertmanager) {
    const { url } = alertmanager;
    /** One thing at a time: what is older must not overtake what is newer. */
    let telling: Promise<void> | undefined;
    /** Tells what there is then, for all who came meanwhile. */
    let next: Promise<void> | undefined;
    let isDeaf = false;

    async function send(what: readonly Tellable[]): Promise<void> {
      const now = Date.now();
      const heard = (await withTimes(url, what))
        .filter(({ one, toldAt }) => toldAt !== undefined || (!one.isOver && one.endsAt + untoldForMs > now))
        .filter(({ one, toldAt }) => endFor(one, toldAt, now) + endedFor > now);
      await alertmanager
        .post(heard.map(({ one, toldAt }) => alertOf({ ...one, endsAt: endFor(one, toldAt, now) })))
        .catch((thrown) => {
          if (!isAway(thrown)) answers();
          throw thrown;
        });
      answers();
      deps.onTold(heard.length);
      const firstHeard = heard.filter(({ toldAt }) => toldAt === undefined);
      await store.setTold(
        url,
        firstHeard.map(({ one }) => one.name),
        now,
      );
    }

    /** In as many tries as it takes: first this, then all that there is. */
    async function insist(what?: readonly Tellable[]): Promise<void> {
      let first = what;
      await retry(
        async () => {
          const due = first ?? (await deps.current());
          first = undefined;
          await send(due);
        },
        {
          signal,
          isTransient: isAway,
          onFailure(thrown) {
            if (!isDeaf)
              logger.warn("An Alertmanager does not take alerts; it is told all when it does.", {
                error: reasonOf(thrown),
              });
            isDeaf = true;
            watch();
          },
        },
      );
    }

    function answers(): void {
      if (isDeaf) logger.info("An Alertmanager takes alerts again.", { url });
      isDeaf = false;
      watch();
    }

    function tell(what?: readonly Tellable[]): Promise<void> {
      telling = insist(what).finally(() => {
        telling = undefined;
      });
      return telling;
    }

    return {
      url,
      isAway: () => isDeaf,
      offer(what: readonly Tellable[]): Promise<void> {
        if (next !== undefined) return next;
        if (telling === undefined) return tell(what);
        const after = (thrown?: unknown) => {
          next = undefined;
          if (signal.aborted) throw thrown ?? signal.reason;
          return tell();
        };
        next = telling.then(() => after(), after);
        return next;
      },
    };
  }

  const targets = deps.alertmanagers.map(createTarget);
  return {
    async tell(what) {
      if (targets.length === 0 || what.length === 0) return;
      const offers = targets.map((target) => target.offer(what));
      for (const offer of offers) offer.catch((thrown) => heard(thrown));
      await Promise.any(offers).catch(({ errors }: AggregateError) => {
        throw errors[0];
      });
    },
    async finished(what, now) {
      const all = await Promise.all(targets.map(({ url }) => withTimes(url, what)));
      return what.filter((one, place) => {
        const ends = all.map((heard) => {
          const toldAt = heard[place]?.toldAt;
          // Who never heard of what is over need not; of the others some hear of it late, some no more.
          if (toldAt === undefined) return one.isOver ? one.endsAt : one.endsAt + untoldForMs;
          return endFor(one, toldAt, now) + endedFor;
        });
        return Math.max(one.endsAt, ...ends) < now;
      });
    },
    away: () => targets.filter((target) => target.isAway()).length,
    close() {
      closing.abort();
      endWait?.();
    },
  };

  function heard(thrown: unknown): void {
    if (thrown instanceof LogGuardianError && !isAway(thrown) && targets.length > 1)
      logger.warn("One Alertmanager of several refuses alerts.", { error: reasonOf(thrown) });
  }
}
