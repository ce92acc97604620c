import { createHash } from "node:crypto";
import { compilePattern } from "../pattern.ts";
import type { Origin } from "./line.ts";

/** What makes lines belong together: where they were written, or an id that stands in their text. */
export type KeySpec = { kind: "origin" } | { kind: "pattern" /** RE2 syntax */; pattern: string };

/** Distinct keys of one line at most: each costs a copy of the line in the open windows. */
export const mostKeys = 512;

/** The window keys of a line, never none, and how many more were found than a line may have. */
export type KeysOf = (text: string, origin: Origin) => { keys: string[]; leftOut: number };

/** A line in which the pattern finds nothing belongs to its origin. @throws LogGuardianError LG_KEY_PATTERN. */
export function createKeys(spec: KeySpec): KeysOf {
  if (spec.kind === "origin") return (_text, origin) => ({ keys: [originKey(origin)], leftOut: 0 });
  const whose = `The session pattern ${JSON.stringify(spec.pattern)}`;
  const pattern = compilePattern(spec.pattern, "LG_KEY_PATTERN", whose);
  return (text, origin) => {
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

export function originKey({ host, file, pod, container }: Origin): string {
  const parts = pod !== undefined || container !== undefined ? [host, pod, container] : [host, file];
  return parts.filter((part) => part !== undefined).join(":") || "unknown";
}

/** The lines-partition of a window key: the same in every process and version. */
export function partitionOf(key: string, partitions: number): number {
  if (partitions === 1) return 0;
  return createHash("md5").update(key).digest().readUInt32BE(0) % partitions;
}
