import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";
import { LogGuardianError, reasonOf } from "../errors.ts";

/** Text to token ids of the encoder, [CLS] and [SEP] included. */
export interface LineTokenizer {
  encode(line: string): number[];
}

/**
 * `path`: a tokenizer.json. Lines are cut at `maxTokens`, keeping the closing [SEP].
 * @throws LogGuardianError LG_BUNDLE_TOKENIZER.
 */
export function createLineTokenizer(path: string, maxTokens: number): LineTokenizer {
  const tokenizer = openTokenizer(path);
  return {
    encode(line) {
      const { ids } = tokenizer.encode(line);
      if (ids.length <= maxTokens) return ids;
      return [...ids.slice(0, maxTokens - 1), ...ids.slice(-1)];
    },
  };
}

function openTokenizer(path: string): Tokenizer {
  try {
    const tokenizer = new Tokenizer(JSON.parse(readFileSync(path, "utf8")), {});
    if (tokenizer.encode("").ids.length === 0) throw new Error("it adds no [CLS] and [SEP]");
    return tokenizer;
  } catch (thrown) {
    throw new LogGuardianError(
      "LG_BUNDLE_TOKENIZER",
      `The encoder's tokenizer ${path} cannot be used: ${reasonOf(thrown)}.`,
      "Fetch or export the bundle again.",
      thrown,
    );
  }
}
