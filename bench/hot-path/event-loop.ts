import { monitorEventLoopDelay } from "node:perf_hooks";
import { withModel } from "../../src/pipeline/open-model.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { type Measured, type Run, seed } from "./figure.ts";
import { uncached } from "./windows.ts";
import { batchesOf, devWindows, drawn, windowsPerBatch } from "./windows-data.ts";

const askedMs = 20;
const resolutionMs = 1;
const nanosecondsPerMs = 1e6;
const windowsDrawn = 640;

/** How late timers come in a process that judges one batch after another: heartbeats and health wait as long. */
export async function measureEventLoop({ full, splits, progress }: Run): Promise<Measured> {
  return withModel({ inference: uncached }, async ({ bundle, judge }) => {
    const all = await devWindows(splits, "bgl", bundle.manifest.window.maxLines);
    const batches = batchesOf(drawn(all, windowsDrawn, createRandom(seed))).map((batch) =>
      batch.map((masked) => ({ masked })),
    );
    await judge.judge(batches[0] ?? []);
    const delay = monitorEventLoopDelay({ resolution: resolutionMs });
    const seconds = full ? 120 : 20;
    const start = performance.now();
    let judged = 0;
    delay.enable();
    for (let place = 0; performance.now() - start < 1000 * seconds; place++) {
      const batch = batches[place % batches.length] ?? [];
      judged += (await judge.judge(batch)).length;
      progress.show("windows judged under the eye of a timer", judged);
    }
    delay.disable();
    const [p50, p99, p999] = [50, 99, 99.9].map((share) => delay.percentile(share) / nanosecondsPerMs) as [
      number,
      number,
      number,
    ];
    const longest = delay.max / nanosecondsPerMs;
    return {
      figures: [
        {
          name: "event-loop",
          value: p99,
          unit: "ms",
          better: "lower",
          asked: askedMs,
          note: `p99 of the event loop's delay while ${judged} BGL windows are judged in batches of ${windowsPerBatch} for ${seconds} s; p50 ${p50.toFixed(1)}, p99.9 ${p999.toFixed(1)}, longest ${longest.toFixed(0)} ms`,
        },
      ],
      details: { judged, seconds, p50, p99, p999, longest, samples: delay.count },
    };
  });
}
