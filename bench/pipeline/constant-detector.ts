// `node constant-detector.ts CONFIG`: the product's detector without its model, so that the way to a verdict is measured.
import type { Judge } from "../../src/classify/judge.ts";
import type { Judgement } from "../../src/classify/judgement.ts";
import { loadConfig } from "../../src/config/load.ts";
import { defaultBundleDir, loadBundle } from "../../src/model/bundle.ts";
import { createDetectorRole } from "../../src/pipeline/roles/detector.ts";
import { roleCreators, runRoles } from "../../src/pipeline/run-roles.ts";

const noCache = { hits: 0, misses: 0, evictions: 0, entries: 0, bytes: 0 };
const judgementOf = (lines: number): Judgement => ({
  verdict: "normal",
  score: 0,
  margin: 0,
  logits: null,
  threshold: 1,
  linesScored: lines,
});
const judge: Judge = {
  judge: async (windows) => windows.map(({ masked }) => judgementOf(masked.length)),
  undecided: (lines, reason) => ({
    ...judgementOf(lines),
    verdict: "undecided",
    score: null,
    margin: null,
    reason,
  }),
  stats: () => ({ verdicts: noCache, lines: noCache }),
};
const open = async () => ({
  bundle: await loadBundle(defaultBundleDir()),
  judge,
  close: async () => undefined,
});

await runRoles(loadConfig(process.argv[2]), ["detector"], {
  ...roleCreators,
  detector: (context) => createDetectorRole(context, open),
});
process.exit(0);
