import { setTimeout as sleep } from "node:timers/promises";
import type { Health, Wait } from "../telemetry/health.ts";
import { refusal } from "./problem.ts";

const patienceMs = 5_000;
const retryAfterSeconds = 5;

/**
 * A caller is told when Redis or Kafka is away; it is not kept waiting, as a stage of the pipeline is. Who is asked hears by
 * the signal that the caller was told so, and that nobody waits any more.
 */
export type Patience = <T>(ask: (signal: AbortSignal) => Promise<T>, on: readonly Wait[]) => Promise<T>;

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
    const [answered, gone] = [new AbortController(), new AbortController()];
    const answer = ask(gone.signal);
    try {
      return await Promise.race([
        answer,
        sleep(patienceMs, undefined, { signal: answered.signal }).then(() => {
          const refused = away(health.state().waits.find((wait) => on.includes(wait)) ?? "an answer in time");
          gone.abort(refused);
          throw refused;
        }),
      ]);
    } finally {
      answered.abort();
      answer.catch(() => undefined);
    }
  };
}
