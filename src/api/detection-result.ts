import { isoTime } from "../ingest/time.ts";
import type { Verdict } from "../verdict/verdict.ts";
import type { DetectionModel, LogLine, WindowOptions } from "./detection.ts";
import type { DetectBody, DetectionResult } from "./detection-schemas.ts";
import { refusedField } from "./problem.ts";

type GivenLine = DetectBody["logs"][number];

/** A request in our words. @throws LogGuardianError LG_API_VALUES. */
export function askedOf(body: DetectBody): { lines: LogLine[]; options: WindowOptions } {
  const { window_size: windowSize, stride, batch_size: batchSize, raw_output: rawOutput } = body;
  if (stride !== null && stride > windowSize)
    throw refusedField(
      "stride",
      `must not exceed window_size (${windowSize}): lines would be left out`,
      "body",
    );
  return {
    lines: body.logs.map(lineOf),
    options: { windowSize, stride: stride ?? windowSize, batchSize, rawOutput },
  };
}

/** @throws LogGuardianError LG_API_VALUES where the model takes no windows so long. */
export function assertFits({ windowSize }: WindowOptions, { name, maxLines }: DetectionModel): void {
  if (windowSize > maxLines)
    throw refusedField("window_size", `must be at most ${maxLines}, which ${name} takes`, "body");
}

function lineOf({ message, timestamp, source }: GivenLine, place: number): LogLine {
  const time = typeof timestamp === "string" ? isoTime(timestamp) : timestamp;
  if (timestamp !== undefined && time === undefined)
    throw refusedField(`logs.${place}.timestamp`, "is no time such as 2026-11-24T02:00:00Z", "body");
  return {
    message,
    ...(time === undefined ? {} : { time }),
    ...(source === undefined ? {} : { source }),
  };
}

/** @param logs as they were sent. */
export function resultOf(
  verdict: Verdict,
  logs: readonly GivenLine[],
  { rawOutput }: Pick<WindowOptions, "rawOutput">,
): DetectionResult {
  const { window, score, threshold, reason, novelty, fingerprint, weights, lineNovelties, answer } = verdict;
  const places = window.lines.map(({ position }) => position.offset);
  const [first = 0, last = 0] = [places[0], places.at(-1)];
  return {
    id: window.id,
    verdict: verdict.verdict,
    anomalous: verdict.verdict === "anomalous",
    score,
    threshold,
    ...(reason === undefined ? {} : { reason }),
    ...(novelty === undefined ? {} : { novelty }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    first_line: { index: first, ...(logs[first] ?? { message: "" }) },
    last_line: { index: last, ...(logs[last] ?? { message: "" }) },
    lines: places.length,
    ...(weights === undefined ? {} : { weights }),
    ...(lineNovelties === undefined ? {} : { line_novelties: lineNovelties }),
    ...(rawOutput ? { margin: verdict.margin, logits: verdict.logits } : {}),
    ...(answer === undefined ? {} : { answer }),
  };
}
