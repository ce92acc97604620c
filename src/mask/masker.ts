import { createHash } from "node:crypto";
import { RE2JS } from "re2js";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { dotRuns, logllmVariables } from "./logllm.ts";
import { typedVariables } from "./typed.ts";

export const maskProfiles = ["logllm", "typed"] as const;
export type MaskProfile = (typeof maskProfiles)[number];

/** A variable of the user's own, replaced before the profile's. */
export interface CustomPattern {
  name: string;
  /** RE2 syntax: linear in the line, so no backreferences and no lookaround. */
  regex: string;
  /** What stands for a match; `$1` and so on are the match's groups. */
  token: string;
}

export interface MaskOptions {
  profile: MaskProfile;
  custom?: readonly CustomPattern[];
  lowerCase?: boolean;
  removePunctuation?: boolean;
  collapseWhitespace?: boolean;
}

export interface Masker {
  /** The line with its variable parts replaced. Masking a masked line changes nothing. */
  mask(line: string): string;
  /** Hash of everything that changes what `mask` answers. */
  readonly hash: string;
}

/**
 * Longer lines are cut here before masking. The patterns cost time quadratic in the length of a hostile token: at this
 * length at most 20 ms, at 32 kB seconds.
 */
export const maxMaskedCharacters = 2048;

/** Changes with the patterns of a profile, so that caches and bundles notice. */
const profileVersion = { logllm: 1, typed: 1 } as const;

/** @throws LogGuardianError LG_MASK_PATTERN when a custom pattern is not valid RE2. */
export function createMasker(options: MaskOptions): Masker {
  const custom = (options.custom ?? []).map(compile);
  const profile = options.profile === "logllm" ? maskLikeLogllm : createTypedProfile();
  const hash = createHash("sha256")
    .update(JSON.stringify([profileVersion[options.profile], options]))
    .digest("hex")
    .slice(0, 16);
  return {
    hash,
    mask(line) {
      let text = line.length > maxMaskedCharacters ? line.slice(0, maxMaskedCharacters) : line;
      for (const { regex, token } of custom) text = regex.matcher(text).replaceAll(token);
      text = profile(text);
      if (options.lowerCase) text = text.toLowerCase();
      if (options.removePunctuation) text = withoutPunctuation(text);
      if (options.collapseWhitespace) text = text.replace(/\s+/g, " ").trim();
      return text;
    },
  };
}

function maskLikeLogllm(line: string): string {
  return line.replace(dotRuns, ".. ").replace(logllmVariables, "<*>");
}

function createTypedProfile(): (line: string) => string {
  // A token of an earlier run is matched first and kept, which makes masking idempotent.
  const kept = "<(?:URL|UUID|TIMESTAMP|IP|HEX|PATH|NUM|\\*)>";
  const groups = typedVariables.map(({ pattern }, place) => `(?<v${place}>${pattern})`);
  const all = new RegExp(`${kept}|${groups.join("|")}`, "g");
  return (line) =>
    line.replace(all, (match, ...rest) => {
      const groupsFound = rest.at(-1) as Record<string, string | undefined>;
      const place = typedVariables.findIndex((_, index) => groupsFound[`v${index}`] !== undefined);
      return typedVariables[place]?.token ?? match;
    });
}

/** Keeps the tokens that masks put in. */
function withoutPunctuation(text: string): string {
  return text.replace(/<[A-Z*]+>|[^\p{L}\p{N}\s]/gu, (match) => (match.length > 2 ? match : " "));
}

function compile(pattern: CustomPattern): { regex: RE2JS; token: string } {
  try {
    return { regex: RE2JS.compile(pattern.regex), token: pattern.token };
  } catch (thrown) {
    throw new LogGuardianError(
      "LG_MASK_PATTERN",
      `The mask pattern "${pattern.name}" is not a valid RE2 expression: ${reasonOf(thrown)}.`,
      "Correct it; lookaround and backreferences do not exist in RE2.",
      thrown,
    );
  }
}
