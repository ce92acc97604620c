import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { lanesOf } from "../../../src/api/page/lanes.js";
import { anomalyAt, idOf } from "../../support/anomalies.ts";
import { openPage, startBrowser } from "../../support/browser.ts";
import { startPageServer } from "../../support/page-server.ts";
import { until } from "../../support/until.ts";

const all = 10_000;
const hosts = 40;
const anomalies = Array.from({ length: all }, (_, minute) =>
  anomalyAt(minute, { fingerprint: `f${minute % 300}` }, { host: `node-${minute % hosts}` }),
);
/** Rows in sight, the timeline's lanes and the choices of the filter: as many as ten anomalies need, and no more. */
const mostElements = 1200;

let api: Awaited<ReturnType<typeof startPageServer>>;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  api = await startPageServer(anomalies);
  browser = await startBrowser();
  ({ page } = await openPage(browser, `${api.url}/`));
  await page.getByText("10,000 anomalies").first().waitFor();
});
afterAll(async () => {
  await browser?.close();
  await api?.stop();
});

const elements = () => page.evaluate<number>("document.querySelectorAll('*').length");
const row = (number: number) => page.locator(`[data-id="${idOf(number)}"]`);

it("holds ten thousand anomalies in as many elements as ten", async () => {
  expect(await elements()).toBeLessThan(mostElements);
  const table = page.getByRole("table");
  expect(await table.getAttribute("aria-rowcount")).toBe(String(all + 1));
  await row(all - 1).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("End");
  await row(0).waitFor();
  expect(await row(0).getAttribute("aria-rowindex")).toBe(String(all + 1));
  expect(await row(all - 1).count()).toBe(0);
  await page.evaluate(
    "scroller = document.querySelector('.scroller'); scroller.scrollTop = scroller.scrollHeight / 2",
  );
  await row(all / 2).waitFor();
  expect(await elements()).toBeLessThan(mostElements);
});

it("is drawn once for a burst of new anomalies, and stays where somebody reads", async () => {
  await row(all / 2).waitFor();
  const placeOf = () =>
    page.evaluate<number>(
      `document.querySelector('[data-id="${idOf(all / 2)}"]').getBoundingClientRect().top`,
    );
  const before = await placeOf();
  await page.evaluate(
    "window.drawn = 0; new MutationObserver(() => window.drawn++).observe(document.querySelector('.lanes'), { childList: true })",
  );
  await api.put(Array.from({ length: 80 }, (_, one) => anomalyAt(all + one, {}, { host: "node-1" })));
  await page.getByText("10,080 anomalies").first().waitFor();
  expect(await page.evaluate("window.drawn")).toBeLessThan(20);
  await until(async () => Math.abs((await placeOf()) - before) < 2, "the row stands where it stood");
});

it("is sifted by text and origin without asking for all again", async () => {
  await page.getByRole("searchbox").fill("exception 777 of disk");
  await row(777).waitFor();
  expect(await page.locator(".row").count()).toBe(1);
  await page.locator(".filter").getByRole("button", { name: "Clear filters" }).click();
  await page.getByRole("combobox", { name: "Origin" }).selectOption("node-7");
  await page
    .getByText(`${all / hosts} anomalies`)
    .first()
    .waitFor();
});

it("says how many lines of a long window were judged", async () => {
  const time = new Date().toISOString();
  const lines = Array.from({ length: 300 }, (_, place) => ({
    ...{ text: `step ${place}`, masked: "step <*>", time, position: `raw:0:${place}:0` },
  }));
  await api.put([anomalyAt(2 * all, { lines, window: { lines: 300, scored: 128, closed: "gap" } })]);
  await page.goto(`${api.url}/#/anomalies/${idOf(2 * all)}`);
  await page.getByText("300 lines, the first 128 judged").waitFor();
});

it("lays origins beside one another in at most twelve lanes, and loses none of them", () => {
  const summaries = anomalies.map(({ event, host }) => ({
    ...{ id: event.id, end: event.end, origin: host?.name, score: 0.9, threshold: 0.5 },
    ...{ verdict: "anomalous", feedback: null },
  }));
  const { lanes, cells } = lanesOf(summaries, 100);
  expect(lanes).toHaveLength(12);
  expect(lanes.at(-1)).toMatchObject({ name: undefined, others: hosts - 11 });
  expect(cells.length).toBeLessThanOrEqual(1200);
  expect(cells.reduce((sum, cell) => sum + cell.anomalies.length, 0)).toBe(all);
  for (const { column, strength } of cells) {
    expect(column).toBeGreaterThanOrEqual(0);
    expect(column).toBeLessThan(100);
    expect(strength).toBeGreaterThan(0.4);
    expect(strength).toBeLessThan(0.6);
  }
});
