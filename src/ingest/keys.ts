import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { compilePattern } from "../pattern.ts";
import type { Origin } from "./line.ts";
import { murmur2 } from "./murmur2.ts";

export const originFields = ["host", "file", "pod", "container"] as const satisfies (keyof Origin)[];
export type OriginField = (typeof originFields)[number];

/** What makes lines belong together: where they were written, what their shipper says, or an id that stands in their text. */
export type KeySpec =
  | {
      kind: "origin" /** those that count; the origin's usual ones where not given */;
      fields?: OriginField[];
    }
  | { kind: "kafka" }
  | { kind: "pattern" /** RE2 syntax */; pattern: string };

/** Of a Kafka key that is kept as it is. */
const mostKeyBytes = 512;

/** Distinct keys of one line at most: each costs a copy of the line in the open windows. */
export const mostKeys = 512;

/** The window keys of a line, never none, and how many more were found than a line may have. */
export type KeysOf = (
  line: { text: string; origin: Origin },
  record: { key: Buffer | null },
) => { keys: string[]; leftOut: number };

/** A line that has none of what is asked for belongs to its origin. @throws LogGuardianError LG_KEY_PATTERN. */
export function createKeys(spec: KeySpec): KeysOf {
  if (spec.kind === "origin") return ({ origin }) => ({ keys: [originKey(origin, spec.fields)], leftOut: 0 });
  if (spec.kind === "kafka")
    return ({ origin }, { key }) => ({ keys: [key?.length ? kafkaKey(key) : originKey(origin)], leftOut: 0 });
  const whose = `The session pattern ${JSON.stringify(spec.pattern)}`;
  const pattern = compilePattern(spec.pattern, "LG_KEY_PATTERN", whose);
  return ({ text, origin }) => {
    const found = new Set<string>();
    const matcher = pattern.matcher(text);
    while (matcher.find()) {
      const id = matcher.group(matcher.groupCount() > 0 ? 1 : 0);
      if (id) found.add(id);
    }
    const keys = found.size > 0 ? [...found] : [originKey(origin)];
    return { keys: keys.slice(0, mostKeys), leftOut: Math.max(0, keys.length - mostKeys) };
  };
}

export function originKey(origin: Origin, fields?: readonly OriginField[]): string {
  const { host, file, pod, container } = origin;
  const asked = fields === undefined ? "" : joined(fields.map((field) => origin[field]));
  if (asked !== "") return asked;
  const usual = pod !== undefined || container !== undefined ? [host, pod, container] : [host, file];
  return joined(usual) || "unknown";
}

function joined(parts: readonly (string | undefined)[]): string {
  let names = "";
  for (const part of parts) if (part !== undefined) names += names === "" ? part : `:${part}`;
  return names;
}

/** Every line carries its key: one that is long, or no text, is known by its hash. */
function kafkaKey(key: Buffer): string {
  return key.length <= mostKeyBytes && isUtf8(key)
    ? key.toString()
    : createHash("sha256").update(key).digest("hex");
}

/** The partition of a window key: the same in every process and version, and where Kafka's own clients put such a key. */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(Buffer.from(key)) & 0x7fff_ffff) % partitions;
}
