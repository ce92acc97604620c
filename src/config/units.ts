const durations = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizes = { B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 } as const;

export const durationPattern = "^\\d+(\\.\\d+)?(ms|s|m|h|d)$";
export const sizePattern = "^\\d+(\\.\\d+)?(B|kB|MB|GB)$";

/** `30s`, `10m`, `24h` to whole milliseconds; undefined for anything else. */
export function milliseconds(text: string): number | undefined {
  const found = new RegExp(durationPattern).exec(text);
  return found === null
    ? undefined
    : Math.round(Number.parseFloat(text) * durations[found[2] as keyof typeof durations]);
}

/** `64MB` to bytes; undefined for anything else. */
export function bytes(text: string): number | undefined {
  const found = new RegExp(sizePattern).exec(text);
  return found === null ? undefined : Number.parseFloat(text) * sizes[found[2] as keyof typeof sizes];
}
