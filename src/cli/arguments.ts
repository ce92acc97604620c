import { milliseconds } from "../config/units.ts";
import { LogGuardianError } from "../errors.ts";

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

function usage(what: string, remedy: string): LogGuardianError {
  return new LogGuardianError("LG_USAGE", what, remedy);
}

/** Of an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
