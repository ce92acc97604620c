import { createHash } from "node:crypto";
import { type ByteCache, createByteCache } from "../byte-cache.ts";
import type { Logits } from "./scorer.ts";

/** What was computed for a window: the same for every window of the same masked lines in the same order. */
export interface KnownWindow {
  logits: Logits;
  weights?: number[];
  lineNovelties?: number[];
}

/** The key of a window: bundle and ordered masked lines, told apart even where a line holds a newline. */
export function windowKey(bundleId: string, masked: readonly string[]): string {
  return createHash("sha256").update(bundleId).update(JSON.stringify(masked)).digest("base64");
}

/** Verdicts by window, bounded by bytes; 0 bytes switches it off. */
export function createVerdictCache(maxBytes: number): ByteCache<KnownWindow> {
  return createByteCache(
    maxBytes,
    ({ weights = [], lineNovelties = [] }) => 8 * (weights.length + lineNovelties.length),
  );
}
