import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";
import { type Counts, count, emptyCounts, metricsOf } from "../../evaluate/metrics.ts";
import { createFormat } from "../../ingest/formats/index.ts";
import type { RawRecord } from "../../ingest/line.ts";
import { type EmbeddedSummary, runEmbedded } from "../../pipeline/embedded.ts";
import { type OpenModel, withModel } from "../../pipeline/open-model.ts";
import { createStages } from "../../pipeline/stages.ts";
import { simulateHdfs } from "../../simulate/hdfs.ts";
import type { Verdict } from "../../verdict/verdict.ts";
import { parseNumber, parseWhole } from "../arguments.ts";
import { verdictForPeople } from "../show.ts";

interface Options {
  seconds: string;
  rate: string;
  faultRate: string;
  seed: string;
  model?: string;
}

/** Blocks of the simulation live for seconds; a silence this long ends a session. */
const sessionGapMs = 6_000;
/** What the cluster wrote before the demo began is read at once: the first sessions are over by then. */
const headStartMs = 10_000;
const tickMs = 100;
/** Without a terminal: one progress line in this time. */
const plainProgressMs = 5_000;

export async function demoCommand(options: Options): Promise<void> {
  const chosen = options.model === undefined ? {} : { bundleDir: options.model };
  await withModel(chosen, (model) => demonstrate(model, options));
}

async function demonstrate(model: OpenModel, options: Options): Promise<void> {
  const seconds = parseNumber(options.seconds, "--seconds", 1);
  const rate = parseNumber(options.rate, "--rate", 1);
  const { name, version } = model.bundle.manifest;
  console.log(
    `${styleText("bold", "LogGuardian")} ${name} ${version}, encoder on ${model.embedder.provider}, language model on ${model.scorer.device}.`,
  );
  console.log(
    `A simulated HDFS cluster has written ${rate} lines a second for ${headStartMs / 1000} s and goes on for ${seconds} s; ` +
      "some of its blocks fail.\n",
  );

  const simulation = simulateHdfs({
    rate,
    faultRate: parseNumber(options.faultRate, "--fault-rate", 0, 1),
    seed: parseWhole(options.seed, "--seed", 0),
    lines: Math.round(rate * (seconds + headStartMs / 1000)),
    start: Date.now() - headStartMs,
  });
  const stages = createStages(model, {
    pipeline: "demo",
    format: createFormat("text"),
    layout: "hdfs",
    key: { kind: "pattern", pattern: "blk_-?\\d+" },
    window: { kind: "session", gapMs: sessionGapMs, maxLines: 1000 },
    batchWindows: 64,
  });
  const board = createBoard(model.judge.stats);
  const counts = emptyCounts();
  const summary = await runEmbedded(
    stages,
    [{ name: "simulation", batches: paced(simulation.lines) }],
    {
      onVerdict(verdict) {
        const fault = simulation.labels.get(verdict.window.key) ?? null;
        count(counts, verdict.verdict === "anomalous", fault !== null);
        board.verdict(verdict, fault);
      },
      onDeadLetter: ({ error }) => board.say(error.message),
      onProgress: (progress) => board.progress(progress, stages.windower.stats().openWindows),
    },
    { maxPendingWindows: 256 },
  );
  board.end();
  printSummary(summary, counts, model.judge.stats(), board.firstVerdictMs());
}

/** Lines at the pace of their own times, which began when the demo did. */
async function* paced(lines: Iterable<{ text: string; time: number }>): AsyncGenerator<RawRecord[]> {
  let batch: RawRecord[] = [];
  let offset = 0;
  for (const { text, time } of lines) {
    if (time > Date.now()) {
      if (batch.length > 0) yield batch;
      batch = [];
      while (time > Date.now()) {
        await sleep(tickMs);
        yield [];
      }
    }
    const record = {
      topic: "simulation",
      partition: 0,
      offset: offset++,
      key: null,
      headers: {},
      timestamp: time,
    };
    batch.push({ ...record, value: Buffer.from(text), origin: { host: "simulated", file: "hdfs.log" } });
  }
  if (batch.length > 0) yield batch;
}

type Stats = OpenModel["judge"]["stats"];

/** The live view: anomalies scroll by, a status line stands below them. Plain lines where there is no terminal. */
function createBoard(stats: Stats) {
  const started = Date.now();
  const isTerminal = process.stdout.isTTY;
  const latencies: number[] = [];
  let firstVerdictMs: number | undefined;
  let lastPlain = started;
  let status = "";
  const clear = () => {
    if (isTerminal && status !== "") process.stdout.write("\r\x1b[2K");
  };
  const say = (text: string) => {
    clear();
    console.log(text);
    if (isTerminal && status !== "") process.stdout.write(status);
  };
  return {
    say,
    firstVerdictMs: () => firstVerdictMs,
    verdict(verdict: Verdict, fault: string | null) {
      firstVerdictMs ??= performance.now();
      const closedAt = verdict.window.end + sessionGapMs;
      if (verdict.window.reason === "gap" && closedAt > started) latencies.push(Date.now() - closedAt);
      if (verdict.verdict === "normal") return;
      const simulated =
        fault === null
          ? styleText("yellow", "simulated: healthy (false alarm)")
          : styleText("dim", `simulated: ${fault}`);
      say(`${verdictForPeople(verdict)}\n          ${simulated}\n`);
    },
    progress(summary: EmbeddedSummary, open: number) {
      const now = Date.now();
      const { hits, misses } = stats().verdicts;
      const latency = latencies.length === 0 ? "–" : `${median(latencies)} ms`;
      status =
        `${summary.lines} lines, ${Math.round(summary.lines / Math.max(1, (now - started) / 1000))}/s | ` +
        `${summary.windows} windows judged, ${open} open | cache hits ${percent(hits, hits + misses)} | ` +
        `verdict after close ${latency} | ${summary.anomalous} anomalies`;
      if (isTerminal) {
        clear();
        process.stdout.write(status.slice(0, process.stdout.columns - 1));
      } else if (now - lastPlain >= plainProgressMs) {
        lastPlain = now;
        console.log(status);
      }
    },
    end() {
      clear();
      status = "";
    },
  };
}

function printSummary(
  summary: EmbeddedSummary,
  counts: Counts,
  stats: ReturnType<Stats>,
  firstVerdictMs = Number.NaN,
): void {
  const { precision, recall, f1 } = metricsOf(counts);
  const { truePositives, falsePositives, falseNegatives } = counts;
  console.log(styleText("bold", "Summary"));
  console.log(`  ${summary.lines} lines, ${summary.windows} sessions, ${summary.undecided} undecided`);
  console.log(`  ${truePositives} faults found, ${falseNegatives} missed, ${falsePositives} false alarms`);
  console.log(
    `  precision ${figure(precision)}, recall ${figure(recall)}, F1 ${figure(f1)} against the simulated faults`,
  );
  const { verdicts, lines } = stats;
  console.log(
    `  caches: ${percent(verdicts.hits, verdicts.hits + verdicts.misses)} of verdicts, ` +
      `${percent(lines.hits, lines.hits + lines.misses)} of lines`,
  );
  console.log(
    `  first verdict ${(firstVerdictMs / 1000).toFixed(1)} s after the process began; ` +
      `${Math.round(process.resourceUsage().maxRSS / 2 ** 10)} MB resident at most`,
  );
  // As it was called itself: in a checkout, and where it is installed for one project, npm finds it.
  const command = process.env.npm_execpath === undefined ? "logguardian" : "npx logguardian";
  console.log(
    `\nNext: ${styleText("cyan", `${command} detect your.log --window 100/50`)}, or ${styleText("cyan", `${command} --help`)}.`,
  );
}

function figure(value: number | null): string {
  return value === null ? "–" : value.toFixed(3);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(1)} %`;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
