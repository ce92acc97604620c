import { once } from "node:events";
import { windowsPerCall } from "../../../classify/judge.ts";
import { windowVectors } from "../../../classify/window-vectors.ts";
import { createLineTokenizer } from "../../../embed/tokenizer.ts";
import { LogGuardianError } from "../../../errors.ts";
import { readWindowRows } from "../../../evaluate/data/window-rows.ts";
import { defaultBundleDir } from "../../../model/bundle.ts";
import { tracedNumbers } from "../../../model/golden.ts";
import { type OpenModel, withModel } from "../../../pipeline/open-model.ts";

/** Windows of masked lines on standard input to margins on standard output, one row each, in order. */
export async function marginsCommand(
  dir = defaultBundleDir(),
  options: { trace?: boolean } = {},
): Promise<void> {
  await withModel({ bundleDir: dir, evidence: false }, async (model) => {
    const rowsOf = createRows(model, options.trace === true);
    let windows: string[][] = [];
    const answer = async () => {
      const rows = await rowsOf(windows);
      windows = [];
      const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
      if (!process.stdout.write(text)) await once(process.stdout, "drain");
    };
    for await (const { lines } of readWindowRows("-")) {
      windows.push(lines.slice(0, model.bundle.manifest.window.maxLines));
      if (windows.length === windowsPerCall) await answer();
    }
    if (windows.length > 0) await answer();
  });
}

function createRows({ bundle, embedder, scorer }: OpenModel, trace: boolean) {
  const { embedder: files, text } = bundle.manifest;
  const tokenizer = createLineTokenizer(bundle.path(files.tokenizer), text.maxTokens);
  return async (windows: string[][]): Promise<object[]> => {
    const vectors = await windowVectors(embedder, windows);
    const scored = await scorer.score(vectors.map(({ joined }) => joined));
    return windows.map((lines, place) => {
      const logits = scored[place];
      const row =
        logits === undefined || logits instanceof LogGuardianError
          ? { error: logits?.code ?? "LG_SCORER" }
          : { margin: logits.anomalous - logits.normal, ...logits };
      if (!trace) return row;
      return {
        ...row,
        tokens: lines.map((line) => tokenizer.encode(line)),
        embeddings: vectors[place]?.lines.map((vector) => [...vector.subarray(0, tracedNumbers)]),
      };
    });
  };
}
