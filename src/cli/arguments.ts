import { LogGuardianError } from "../errors.ts";

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30s`, `10m`, `24h` to milliseconds. @throws LogGuardianError LG_USAGE. */
export function parseDuration(text: string, option: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (found === null)
    throw usage(`${option} ${text} is no duration.`, "Write a number and ms, s, m, h or d, such as 30s.");
  return Number(found[1]) * units[found[2] as keyof typeof units];
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

/** `100` or `100/50`: size and stride. @throws LogGuardianError LG_USAGE. */
export function parseWindow(text: string): { size: number; stride: number } {
  const [size = "", stride = size, ...more] = text.split("/");
  if (more.length > 0)
    throw usage(`--window ${text} has too many parts.`, "Write size or size/stride, such as 100/50.");
  return { size: parseNumber(size, "--window", 1), stride: parseNumber(stride, "--window", 1) };
}

function usage(what: string, remedy: string): LogGuardianError {
  return new LogGuardianError("LG_USAGE", what, remedy);
}
