import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { withModel } from "../../src/pipeline/open-model.ts";
import { dataFile, starterBundle } from "../support/data.ts";

const windows = 10_000;
const windowsPerCall = 200;

/** HDFS' sessions as they come, most of them like one before. */
function realWindows(): { masked: string[] }[] {
  const templates = JSON.parse(readFileSync(dataFile("hdfs/templates.json"), "utf8")) as {
    id: number;
    masked: string;
  }[];
  const masked = new Map(templates.map((one) => [String(one.id), one.masked]));
  const rows = gunzipSync(readFileSync(dataFile("hdfs/train.tsv.gz")))
    .toString("utf8")
    .split("\n", windows);
  return rows.map((row) => ({
    masked: (row.split("\t")[1] ?? "").split(" ").map((id) => masked.get(id) ?? ""),
  }));
}

it("what the caches answer is what is computed afresh, bit by bit, for 10,000 real windows", async () => {
  const all = realWindows();
  const marginsWith = (lineCacheBytes: number, verdictCacheBytes: number) =>
    withModel(
      { bundleDir: starterBundle, evidence: false, inference: { lineCacheBytes, verdictCacheBytes } },
      async ({ judge }) => {
        const judgements = [];
        for (let from = 0; from < all.length; from += windowsPerCall)
          judgements.push(...(await judge.judge(all.slice(from, from + windowsPerCall))));
        return { judgements, stats: judge.stats() };
      },
    );
  const cached = await marginsWith(2 ** 26, 2 ** 26);
  // So small that it is full at once, and forgets.
  const forgetful = await marginsWith(20_000, 20_000);
  const fresh = await marginsWith(0, 0);
  // Equal windows of one call are judged once, and asked for once.
  expect(cached.stats.verdicts.hits).toBeGreaterThan(1_000);
  expect(forgetful.stats.verdicts.evictions).toBeGreaterThan(100);
  expect(fresh.stats.verdicts).toMatchObject({ hits: 0, bytes: 0 });
  expect(cached.judgements.length).toBe(windows);
  expect(cached.judgements).toEqual(fresh.judgements);
  expect(forgetful.judgements).toEqual(fresh.judgements);
}, 300_000);
