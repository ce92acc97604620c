import { setTimeout as sleep } from "node:timers/promises";
import type { Health, Wait } from "../telemetry/health.ts";
import { refusal } from "./problem.ts";

const patienceMs = 5_000;
const retryAfterSeconds = 5;

/** A caller is told when Redis or Kafka is away; it is not kept waiting, as a stage of the pipeline is. */
export type Patience = <T>(ask: () => Promise<T>, on: readonly Wait[]) => Promise<T>;

export const onRedis = ["redis-away", "redis-full"] as const;
export const onBoth = [...onRedis, "broker-away"] as const;

export function createPatience(health: Pick<Health, "state">): Patience {
  const away = (what: string) =>
    refusal("LG_API_AWAY", `LogGuardian waits for what it needs: ${what}.`, "Try again.", {
      retryAfterSeconds,
    });
  return async (ask, on) => {
    // Nothing more is asked of what others wait for already.
    const known = health.state().waits.find((wait) => on.includes(wait));
    if (known !== undefined) throw away(known);
    const late = new AbortController();
    const answer = ask();
    try {
      return await Promise.race([
        answer,
        sleep(patienceMs, undefined, { signal: late.signal }).then(() => {
          throw away(health.state().waits.find((wait) => on.includes(wait)) ?? "an answer in time");
        }),
      ]);
    } finally {
      late.abort();
      answer.catch(() => undefined);
    }
  };
}
