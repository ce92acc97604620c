import { milliseconds } from "../config/units.ts";
import { LogGuardianError } from "../errors.ts";
import { isoTime } from "../ingest/time.ts";
import type { WindowSpec } from "../window/window.ts";

/** `30s`, `10m`, `24h` to milliseconds. @throws LogGuardianError LG_USAGE. */
export function parseDuration(text: string, option: string): number {
  const duration = milliseconds(text);
  if (duration !== undefined) return duration;
  throw usage(`${option} ${text} is no duration.`, "Write a number and ms, s, m, h or d, such as 30s.");
}

/** @throws LogGuardianError LG_USAGE. */
export function parseNumber(
  text: string,
  option: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw usage(`${option} ${text} is not a number ${range}.`, "Correct it.");
}

/** @throws LogGuardianError LG_USAGE. */
export function parseWhole(text: string, option: string, least: number): number {
  const value = parseNumber(text, option, least);
  if (Number.isSafeInteger(value)) return value;
  throw usage(`${option} ${text} is not a whole number.`, "Correct it.");
}

/** A share that leaves something on either side. @throws LogGuardianError LG_USAGE. */
export function parseShare(text: string, option: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw usage(`${option} ${text} is not a number above 0 and below 1.`, "Correct it.");
}

/** `100` or `100/50`: size and stride. @throws LogGuardianError LG_USAGE. */
export function parseWindow(text: string): { size: number; stride: number } {
  const [size = "", stride = size, ...more] = text.split("/");
  if (more.length > 0)
    throw usage(`--window ${text} has too many parts.`, "Write size or size/stride, such as 100/50.");
  return { size: parseWhole(size, "--window", 1), stride: parseWhole(stride, "--window", 1) };
}

/** `100/50` for windows of lines, `10m/5m` for windows of time. @throws LogGuardianError LG_USAGE. */
export function parseWindowSpec(text: string, mostLines: number): WindowSpec {
  const [span = "", slide = span, ...more] = text.split("/");
  const [spanMs, slideMs] = [milliseconds(span), milliseconds(slide)];
  if (spanMs === undefined || slideMs === undefined || more.length > 0)
    return { kind: "sliding", ...parseWindow(text) };
  return { kind: "time", spanMs, slideMs, latenessMs: 0, maxLines: mostLines };
}

/** RFC 3339, seconds left out or not; without a zone UTC. Milliseconds. @throws LogGuardianError LG_USAGE. */
export function parseTime(text: string, option: string): number {
  const time = isoTime(text.replace(/^(\S{10}[T ]\d\d:\d\d)(?!:\d\d)/, "$1:00"));
  if (time !== undefined) return time;
  throw usage(`${option} ${text} is no time.`, "Write it as 2026-11-24T02:00Z or 2026-11-24T03:00:00+01:00.");
}

/** `0:100-200,app-logs:1:50-80`: topic where there are several, partition, first and last offset. @throws LogGuardianError LG_USAGE. */
export function parseOffsets(
  text: string,
): { topic?: string; partition: number; first: number; last: number }[] {
  return text.split(",").map((part) => {
    const found = /^(?:([^:]+):)?(\d+):(\d+)-(\d+)$/.exec(part.trim());
    const [, topic, ...numbers] = found ?? [];
    const [partition = 0, first = 0, last = -1] = numbers.map(Number);
    if (first <= last) return { ...(topic === undefined ? {} : { topic }), partition, first, last };
    throw usage(
      `--offsets ${part} is no range.`,
      "Write partition:first-last, such as 0:100-200, with the topic before it where there are several.",
    );
  });
}

function usage(what: string, remedy: string): LogGuardianError {
  return new LogGuardianError("LG_USAGE", what, remedy);
}

/** Of an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
