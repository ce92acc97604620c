import { createHash } from "node:crypto";
import type { RE2JS } from "re2js";
import { LogGuardianError } from "../errors.ts";
import { compilePattern } from "../pattern.ts";
import { dotRuns, logllmVariables, spansSpaces } from "./logllm.ts";
import { typedVariables } from "./typed.ts";
import { wordByWord } from "./word-by-word.ts";

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

/** Rounds until a line with options no longer changes; two or three suffice, a custom pattern must not go round for ever. */
const maxRounds = 8;

/** @throws LogGuardianError LG_MASK_PATTERN when a custom pattern is not valid RE2, or its token does not stay as it is. */
export function createMasker(options: MaskOptions): Masker {
  const custom = (options.custom ?? []).map(compile);
  const tokens = tokensOf(options);
  const profile = options.profile === "logllm" ? createLogllmProfile(tokens) : createTypedProfile(tokens);
  const hash = createHash("sha256")
    .update(JSON.stringify([profileVersion[options.profile], options]))
    .digest("hex")
    .slice(0, 16);
  const isPlain =
    custom.length === 0 && !options.lowerCase && !options.removePunctuation && !options.collapseWhitespace;

  function maskOnce(line: string): string {
    let text = line;
    for (const { regex, token } of custom) text = regex.matcher(text).replaceAll(token);
    text = profile(text);
    if (options.lowerCase) text = outside(tokens, text, (part) => part.toLowerCase());
    if (options.removePunctuation)
      text = outside(tokens, text, (part) => part.replace(/[^\p{L}\p{N}\s]/gu, " "));
    return options.collapseWhitespace ? text.replace(/\s+/g, " ").trim() : text;
  }

  function mask(line: string): string {
    let text = cut(line);
    for (let round = 0; round < maxRounds; round++) {
      const next = maskOnce(text);
      const isWhole = next.length <= maxMaskedCharacters;
      if (next === text) break;
      text = cut(next);
      // The profiles find nothing in what they made; options and a cut may leave variables behind ("TRUE", "x_five").
      if (isPlain && isWhole) break;
    }
    return text;
  }

  for (const { name, token } of options.custom ?? [])
    if (maskOnce(mask(token)) !== mask(token))
      throw new LogGuardianError(
        "LG_MASK_PATTERN",
        `The token ${JSON.stringify(token)} of the mask pattern "${name}" is changed by masking again and again.`,
        "Choose a token that the patterns do not match, such as <TABLE>.",
      );
  return { hash, mask };
}

function cut(line: string): string {
  return line.length > maxMaskedCharacters ? line.slice(0, maxMaskedCharacters) : line;
}

/** Matches the tokens that masks put in: they stay as they are. */
function tokensOf({ profile, custom = [] }: MaskOptions): string {
  const own = profile === "logllm" ? [] : typedVariables.map(({ token }) => token);
  // A token with groups of the match in it is no fixed text.
  const fixed = custom.map(({ token }) => token).filter((token) => token !== "" && !token.includes("$"));
  return ["<*>", ...own, ...fixed].map((token) => token.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|");
}

/** Changes what stands between the tokens. */
function outside(tokens: string, text: string, change: (part: string) => string): string {
  const parts = text.split(new RegExp(`(${tokens})`));
  return parts.map((part, place) => (place % 2 === 0 ? change(part) : part)).join("");
}

function createLogllmProfile(tokens: string): (line: string) => string {
  if (tokens === "<\\*>")
    return wordByWord((text) => text.replace(dotRuns, ".. ").replace(logllmVariables, "<*>"), spansSpaces);
  const kept = new RegExp(`(${tokens})|${logllmVariables.source}`, "gu");
  return (line) =>
    line
      .replace(dotRuns, ".. ")
      .replace(kept, (_match, token: unknown) => (typeof token === "string" ? token : "<*>"));
}

function createTypedProfile(tokens: string): (line: string) => string {
  const groups = typedVariables.map(({ pattern }, place) => `(?<v${place}>${pattern})`);
  const all = new RegExp(`(?:${tokens})|${groups.join("|")}`, "g");
  return (line) =>
    line.replace(all, (match, ...rest) => {
      const groupsFound = rest.at(-1) as Record<string, string | undefined>;
      const place = typedVariables.findIndex((_, index) => groupsFound[`v${index}`] !== undefined);
      return typedVariables[place]?.token ?? match;
    });
}

function compile(pattern: CustomPattern): { regex: RE2JS; token: string } {
  const whose = `The mask pattern "${pattern.name}"`;
  return { regex: compilePattern(pattern.regex, "LG_MASK_PATTERN", whose), token: pattern.token };
}
