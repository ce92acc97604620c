import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { roles } from "../support/stream.ts";
import type { Fault } from "./fault.ts";

const minutes = 10;
/** Until caches are full and the heap has found its size. */
const warmUpMinutes = 2;
const everyMs = 5_000;
const mostGrowth = 1.1;
/** Of each workload: more than a detector takes on a core. */
const perSecond = 2_500;
/** What waits then is worked off. */
const perSecondAfter = 400;

/** Full input for ten minutes: what is resident stays what it was after the first two. */
export const memory: Fault = {
  promise: "memory stays flat",
  // Else what is open grows for longer than the warm-up.
  maxLines: 50,
  // Such a session holds the lines that came first, which depends on how far each raw partition was read.
  recuts: (pipeline) => pipeline === "sessions",
  async inflict(trial) {
    trial.input.perSecond = perSecond;
    const before = new Map<string, number[]>();
    const after = new Map<string, number[]>();
    for (let passedMs = 0; passedMs < minutes * 60_000; passedMs += everyMs) {
      await sleep(everyMs);
      const held = passedMs < warmUpMinutes * 60_000 ? before : after;
      for (const role of roles)
        for (const { child } of trial.storm.running(role))
          held.set(role, [...(held.get(role) ?? []), residentMb(child.pid ?? 0)]);
    }
    trial.input.perSecond = perSecondAfter;
    const seen = roles.map((role) => {
      const [warm, most] = [before, after].map((held) => Math.max(...(held.get(role) ?? [0])));
      return { role, warm: warm ?? 0, most: most ?? 0 };
    });
    return {
      faults: `${minutes} minutes of full input; ${seen.map(({ role, warm, most }) => `${role} ${warm} MB, then at most ${most} MB`).join("; ")}`,
      broken: seen
        .filter(({ warm, most }) => most > mostGrowth * warm)
        .map(({ role, warm, most }) => `the ${role} grows from ${warm} MB to ${most} MB`),
    };
  },
};

function residentMb(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}
