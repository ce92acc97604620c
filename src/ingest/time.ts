/** Milliseconds since the epoch from ISO text, or from a number of seconds, ms, µs or ns, told apart by its size. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value === "number") return timeOfNumber(value);
  if (typeof value === "bigint") return timeOfNumber(Number(value));
  if (typeof value !== "string") return value instanceof Date ? timeOfNumber(value.getTime()) : undefined;
  return isoTime(value) ?? (/^\d+(\.\d+)?$/.test(value) ? timeOfNumber(Number(value)) : undefined);
}

function timeOfNumber(value: number): number | undefined {
  // Less is a duration or a date in digits: 1e8 seconds are in 1973.
  if (!Number.isFinite(value) || value < 1e8) return undefined;
  if (value < 1e11) return Math.round(value * 1000);
  if (value < 1e14) return Math.round(value);
  if (value < 1e17) return Math.round(value / 1e3);
  return Math.round(value / 1e6);
}

const iso = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))?(?: ?(Z|[+-]\d\d):?(\d\d)?)?$/;

const usualIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Of RFC 3339 and its kin; without a zone it is UTC. (Date.parse takes it as local, and finds dates in any text.) */
export function isoTime(text: string): number | undefined {
  // As most shippers write it, and the language itself reads it.
  if (usualIso.test(text)) return numberOf(Date.parse(text));
  const found = iso.exec(text);
  if (found === null) return undefined;
  const [, date, time, fraction = "0", zone = "Z", minutes = "00"] = found;
  const offset = zone === "Z" ? "Z" : `${zone}:${minutes}`;
  return numberOf(Date.parse(`${date}T${time}.${fraction.slice(0, 3)}${offset}`));
}

function numberOf(time: number): number | undefined {
  return Number.isNaN(time) ? undefined : time;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Dec 10 06:55:46` or `Dec 10 2026 06:55:46`, in UTC: without a year the one that brings it nearest to `near`. */
export function bsdTime(text: string, near: number): number | undefined {
  const found = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/.exec(
    text,
  );
  const month = months.indexOf(found?.[1] ?? "");
  if (found === null || month < 0) return undefined;
  const [day = 1, year, hour = 0, minute = 0, second = 0] = found
    .slice(2, 7)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const millisecond = Number((found[7] ?? "0").slice(0, 3).padEnd(3, "0"));
  const inYear = (one: number) => Date.UTC(one, month, day, hour, minute, second, millisecond);
  if (year !== undefined) return inYear(year);
  const nearYear = new Date(near).getUTCFullYear();
  return [nearYear - 1, nearYear, nearYear + 1]
    .map(inYear)
    .reduce((best, time) => (Math.abs(time - near) < Math.abs(best - near) ? time : best));
}
