/** A figure to four places; a dash where it does not exist. */
export function figure(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : value.toFixed(4);
}

/** A number in few digits, whatever its size. */
export function short(value: number | null): string {
  if (value === null) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en-GB");
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en-GB") : value.toPrecision(3);
}

/** ` (.912 to .934)`, or nothing. */
export function interval(range: { low: number | null; high: number | null } | null | undefined): string {
  if (!range || range.low === null || range.high === null) return "";
  return `${figure(range.low)} to ${figure(range.high)}`;
}

/** A score near 0 or 1 keeps the digits that tell it from them. */
export function score(value: number): string {
  const distance = Math.min(value, 1 - value);
  if (distance >= 0.001) return value.toFixed(3);
  if (value < 0.5) return value.toExponential(1);
  return distance === 0 ? "1" : `1 - ${distance.toExponential(1)}`;
}
