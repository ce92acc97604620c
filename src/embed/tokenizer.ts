import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";

/** Text to token ids of the encoder, [CLS] and [SEP] included. */
export interface LineTokenizer {
  encode(line: string): number[];
}

/** `path`: a tokenizer.json. Lines are cut at `maxTokens`, keeping the closing [SEP]. */
export function createLineTokenizer(path: string, maxTokens: number): LineTokenizer {
  const tokenizer = new Tokenizer(JSON.parse(readFileSync(path, "utf8")), {});
  return {
    encode(line) {
      const { ids } = tokenizer.encode(line);
      if (ids.length <= maxTokens) return ids;
      return [...ids.slice(0, maxTokens - 1), ...ids.slice(-1)];
    },
  };
}
