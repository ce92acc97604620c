import { expect, it } from "vitest";
import { createEmbedder } from "../../src/embed/embedder.ts";
import { loadBundle } from "../../src/model/bundle.ts";
import { readGolden } from "../../src/model/golden.ts";
import { starterBundle } from "../support/data.ts";

it("a line's embedding is the same bits alone, among others and in another order", async () => {
  const bundle = await loadBundle(starterBundle);
  const lines = [...new Set((await readGolden(bundle)).flatMap((window) => window.lines))];
  const embedder = await createEmbedder(bundle, { provider: "cpu", threads: 0, cacheBytes: 0 });
  const together = await embedder.embed(lines);
  expect((await embedder.embed([...lines].reverse())).reverse()).toEqual(together);
  for (const [place, line] of lines.entries())
    expect(await embedder.embed([line])).toEqual([together[place]]);
  await embedder.close();
});
