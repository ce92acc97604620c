import { RE2JS } from "re2js";
import { LogGuardianError, reasonOf } from "./errors.ts";

/**
 * A pattern of the user's, in a linear engine: no line can make it slow.
 * @param whose how the pattern is called at the beginning of a sentence.
 * @throws LogGuardianError with this code.
 */
export function compilePattern(pattern: string, code: `LG_${string}`, whose: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (thrown) {
    throw new LogGuardianError(
      code,
      `${whose} is not a valid RE2 expression: ${reasonOf(thrown)}.`,
      "Correct it; lookaround and backreferences do not exist in RE2.",
      thrown,
    );
  }
}
