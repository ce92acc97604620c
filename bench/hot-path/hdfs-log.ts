import { readRecords } from "../../src/ingest/file-source.ts";
import { createFormat } from "../../src/ingest/formats/index.ts";
import type { RawRecord } from "../../src/ingest/line.ts";
import { type EmbeddedSummary, runEmbedded } from "../../src/pipeline/embedded.ts";
import type { OpenModel } from "../../src/pipeline/open-model.ts";
import { createStages } from "../../src/pipeline/stages.ts";
import type { Verdict } from "../../src/verdict/verdict.ts";
import { dataFile } from "../../test/support/data.ts";

const file = "hdfs/raw_2pct.log.xz";
const daysOfLog = 3;
const msPerDay = 86_400_000;
/** As `logguardian detect` has them. */
export const batchWindows = 64;
const maxPendingWindows = 4 * batchWindows;

/** The raw sample log's first lines. Where it is too short it goes on with itself, days later and with other blocks. */
export async function* hdfsRecords(most = Number.POSITIVE_INFINITY): AsyncGenerator<RawRecord[]> {
  let offset = 0;
  for (let round = 0; round === 0 || Number.isFinite(most); round++)
    for await (const records of readRecords(dataFile(file))) {
      yield records.slice(0, most - offset).map((record) => ({ ...later(record, round), offset: offset++ }));
      if (offset === most) return;
    }
}

function later(record: RawRecord, round: number): RawRecord {
  if (round === 0) return record;
  const line = record.value?.toString("latin1") ?? "";
  const [year, month, day] = [0, 2, 4].map((at) => Number(line.slice(at, at + 2))) as [
    number,
    number,
    number,
  ];
  const date = new Date(Date.UTC(2000 + year, month - 1, day) + round * daysOfLog * msPerDay);
  const header = date.toISOString().slice(2, 10).replaceAll("-", "");
  const rest = line.slice(header.length).replace(/blk_-?\d+/g, (block) => `${block}${round}`);
  return { ...record, value: Buffer.from(header + rest, "latin1") };
}

/** The stages of `logguardian detect hdfs.log --layout hdfs --session 'blk_-?\d+' --gap 24h`. */
export function hdfsStages(model: OpenModel) {
  return createStages(model, {
    pipeline: "detect",
    format: createFormat("text"),
    layout: "hdfs",
    key: { kind: "pattern", pattern: "blk_-?\\d+" },
    window: { kind: "session", gapMs: msPerDay, maxLines: 1000 },
    batchWindows,
  });
}

/** Lines to verdicts as `logguardian detect` goes. */
export function detectHdfs(
  model: OpenModel,
  lines: number | undefined,
  handlers: { onVerdict(verdict: Verdict): void; onProgress(lines: number): void },
): Promise<EmbeddedSummary> {
  return runEmbedded(
    hdfsStages(model),
    [{ name: "hdfs", batches: hdfsRecords(lines) }],
    {
      onVerdict: handlers.onVerdict,
      onDeadLetter: ({ error }) => {
        throw error;
      },
      onProgress: (summary) => handlers.onProgress(summary.lines),
    },
    { maxPendingWindows },
  );
}
