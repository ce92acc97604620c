import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { AnomalyIndex } from "../../src/api/anomaly-index.ts";
import { anomaliesLike, searchAnomalies } from "../../src/api/anomaly-search.ts";
import { entryOf } from "../../src/api/index-entry.ts";
import { createMemoryIndex } from "../../src/api/memory-index.ts";
import { createPatience } from "../../src/api/patience.ts";
import { createScans } from "../../src/api/scans.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { anomalyAt, idOf } from "../support/anomalies.ts";
import { until } from "../support/until.ts";

const index = createMemoryIndex({ retentionMs: 3_600_000, maxBytes: 2 ** 20 });
const create = () => createScans({ index, within: createPatience(createHealth()) });

/** A look that ends when it is told to. */
function look() {
  let end: (found: string) => void = () => undefined;
  const found = new Promise<string>((resolve) => {
    end = resolve;
  });
  let looks = 0;
  return {
    end: (what: string) => end(what),
    looks: () => looks,
    async at() {
      looks++;
      return found;
    },
  };
}

describe("what the caller may not see", () => {
  const isVisible = (pipeline: string) => pipeline === "mine";

  /** Ids that page after page gives, and how many pages that took. */
  async function pagesOf(anomalies: Anomaly[], options: { limit: number; most: number }) {
    const mixed = createMemoryIndex({ retentionMs: 1e12, maxBytes: 2 ** 30 });
    await mixed.put(
      anomalies.map((one) => entryOf(one, Date.now())),
      await mixed.incarnation(),
    );
    const visible = anomalies.flatMap(({ event, logguardian }) =>
      isVisible(logguardian.pipeline) ? [event.id] : [],
    );
    const found: string[] = [];
    let pages = 1;
    for (let after: string | undefined; ; pages++) {
      const page = await searchAnomalies(mixed, { isVisible }, { after, ...options });
      found.push(...page.found.map(({ summary }) => summary.id));
      if (page.next === null || pages > 50) return { found, pages };
      expect([...visible, "f".repeat(32)]).toContain(page.next.split(":")[1]);
      after = page.next;
    }
  }

  it("is told of by no cursor, and walked over step by step", async () => {
    const others = Array.from({ length: 30 }, (_, at) => anomalyAt(1 + at, { pipeline: "others" }));
    const mine = [anomalyAt(0, { pipeline: "mine" }), anomalyAt(31, { pipeline: "mine" })];
    const { found, pages } = await pagesOf([...mine, ...others], { limit: 1, most: 7 });
    expect(found).toEqual([idOf(31), idOf(0)]);
    expect(pages).toBeGreaterThan(4);
  });

  it("may stand at the same time as what they see", async () => {
    const at = (id: number, pipeline: string) => anomalyAt(5, { pipeline }, { id: idOf(id) });
    const same = [at(9, "mine"), at(8, "others"), at(7, "others"), at(6, "mine"), at(5, "others")];
    const { found } = await pagesOf([...same, anomalyAt(1, { pipeline: "mine" })], { limit: 1, most: 3 });
    expect(found).toEqual([idOf(9), idOf(6), idOf(1)]);
  });
});

it("equal questions at one time are one, and others are their own", async () => {
  const scans = create();
  const [one, other] = [look(), look()];
  const asked = [scans.ask(["a", 1], one.at), scans.ask(["a", 1], one.at), scans.ask(["a", 2], other.at)];
  one.end("one");
  other.end("other");
  expect(await Promise.all(asked)).toEqual(["one", "one", "other"]);
  expect([one.looks(), other.looks()]).toEqual([1, 1]);
});

it("an answer is kept for as long as it took, unless it means nothing any more", async () => {
  const scans = create();
  const slow = look();
  const asked = scans.ask("slow", slow.at);
  await sleep(300);
  slow.end("slow");
  await asked;
  await scans.ask("slow", slow.at);
  expect(slow.looks()).toBe(1);
  scans.forget();
  await scans.ask("slow", slow.at);
  expect(slow.looks()).toBe(2);
  await until(async () => {
    await scans.ask("slow", slow.at);
    return slow.looks() === 3;
  }, "it is looked for again");

  let tries = 0;
  const fail = () => Promise.reject(new Error(`failure ${++tries}`));
  await expect(scans.ask("failing", fail)).rejects.toThrow("failure 1");
  await expect(scans.ask("failing", fail)).rejects.toThrow("failure 2");
});

it("more at once than four are refused", async () => {
  const scans = create();
  const one = look();
  const asked = [1, 2, 3, 4].map((question) => scans.ask(question, one.at));
  await expect(scans.ask(5, one.at)).rejects.toMatchObject({ code: "LG_API_BUSY" });
  one.end("found");
  await Promise.all(asked);
  expect(await scans.ask(5, one.at)).toBe("found");
});

it("one that nobody waits for any more ends, and leaves its place when it does", async () => {
  const scans = create();
  await index.put([entryOf(anomalyAt(1), Date.now())], await index.incarnation());
  const waiting = look();
  let ended: unknown;
  const goOn = async (index: AnomalyIndex) => {
    await waiting.at();
    try {
      for await (const _ of anomaliesLike(index, { isVisible: () => true }));
    } catch (thrown) {
      ended = thrown;
      throw thrown;
    }
  };
  const asked = [1, 2, 3, 4].map((question) => scans.ask(question, goOn));
  for (const one of asked) await expect(one).rejects.toMatchObject({ code: "LG_API_AWAY" });
  await expect(scans.ask(5, goOn)).rejects.toMatchObject({ code: "LG_API_BUSY" });
  waiting.end("");
  await until(() => ended !== undefined, "it ends");
  expect(ended).toMatchObject({ code: "LG_API_AWAY" });
  await scans.ask(5, goOn);
});
