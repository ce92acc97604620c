import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anomalyAt, idOf } from "../../support/anomalies.ts";
import { violationsOf } from "../../support/axe.ts";
import { openPage, startBrowser, type Theme } from "../../support/browser.ts";
import { startPageServer } from "../../support/page-server.ts";

/** Many pages, of thirty files each. */
const requestsPerMinute = 100_000;
let api: Awaited<ReturnType<typeof startPageServer>>;
let empty: Awaited<ReturnType<typeof startPageServer>>;
let browser: Browser;

const fingerprint = "00000000000000aa";
const long = Array.from({ length: 128 }, (_, place) => ({
  ...{ text: `block ${place} received`, masked: "block <*> received", time: "2026-11-24T00:00:00.000Z" },
  ...{
    weight: place % 9 === 0 ? place / 10 : -0.2,
    host: "node-1",
    file: "/a.log",
    position: `raw:0:${place}:0`,
  },
}));

beforeAll(async () => {
  [api, empty, browser] = await Promise.all([
    startPageServer(
      [
        ...Array.from({ length: 30 }, (_, minute) =>
          anomalyAt(minute, { fingerprint: `f${minute % 3}` }, { host: `node-${minute % 4}` }),
        ),
        anomalyAt(40, { lines: long }),
        anomalyAt(41, { verdict: "undecided", reason: "LG_SCORER_CRASHED", score: null, margin: null }),
        anomalyAt(42, { early: "raised" }),
        anomalyAt(43),
        anomalyAt(44),
      ],
      { requestsPerMinute },
    ),
    startPageServer([]),
    startBrowser(),
  ]);
  await api.ask(`/anomalies/${idOf(43)}/feedback`, { body: { judgement: "false-alarm", note: "planned" } });
  await api.ask(`/anomalies/${idOf(44)}/feedback`, { body: { judgement: "confirmed" } });
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([api?.stop(), empty?.stop()]);
});

/** @type where, and what stands there once it is all there */
const views: [name: string, hash: string, sign: string, keys?: string[]][] = [
  ["anomalies", "#/anomalies", ".row"],
  ["anomalies, after feedback", "#/anomalies", ".row", ["j", "f"]],
  ["the timeline's tip", "#/anomalies", ".row", []],
  ["help", "#/anomalies", ".row", ["?"]],
  ["say more", "#/anomalies", ".row", ["F"]],
  ["a range of time", "#/anomalies?from=2026-11-24T00:00:00Z", ".row"],
  ["an anomaly of 128 lines", `#/anomalies/${idOf(40)}`, ".lines"],
  ["an anomaly that is undecided", `#/anomalies/${idOf(41)}`, ".lines"],
  ["an anomaly that is suppressed", `#/anomalies/${idOf(43)}`, ".lines"],
  ["groups", "#/groups", "tr[data-fingerprint]"],
  ["a group", `#/groups/${fingerprint}`, ".group-summary"],
  ["nothing found", "#/anomalies?text=nothing-of-it", ".state h2"],
  ["an anomaly that there is not", `#/anomalies/${idOf(999)}`, ".state h1"],
];

describe.each(["light", "dark"] as Theme[])("axe finds no violation, %s", (theme) => {
  it.each(views)("%s", async (name, hash, sign, keys = []) => {
    const { page } = await openPage(browser, `${api.url}/${hash}`, { theme });
    await page.locator(sign).first().waitFor();
    for (const key of keys) await page.keyboard.press(key);
    if (keys.includes("f")) await page.locator(".toast.shown").waitFor();
    if (name.includes("tip")) {
      await page.getByRole("application").focus();
      await page.keyboard.press("ArrowRight");
      await page.locator(".tip").waitFor();
    }
    expect(await violationsOf(page)).toEqual([]);
    await page.context().close();
  });

  it("nothing yet, and a window as narrow as a telephone", async () => {
    const { page } = await openPage(browser, `${empty.url}/`, { theme });
    await page.getByText("No anomalies yet").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 800 });
    for (const hash of ["#/anomalies", `#/anomalies/${idOf(40)}`, "#/groups", `#/groups/${fingerprint}`]) {
      await page.goto(`${api.url}/${hash}`);
      await page.locator(".row, .lines, tr[data-fingerprint]").first().waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      expect(await violationsOf(page)).toEqual([]);
    }
    await page.context().close();
  });
});

it("shows where the focus is, on whatever the tab key reaches", async () => {
  const { page } = await openPage(browser, `${api.url}/#/anomalies`);
  await page.locator(".row").first().waitFor();
  const seen = new Set<string>();
  for (let step = 0; step < 40; step++) {
    await page.keyboard.press("Tab");
    const [what, outline] = await page.evaluate<[string, string]>(
      "[document.activeElement.outerHTML.slice(0, 120), getComputedStyle(document.activeElement).outlineStyle]",
    );
    if (what.startsWith("<body")) break;
    expect(outline, what).not.toBe("none");
    seen.add(what);
  }
  expect([...seen].some((what) => what.includes('role="application"'))).toBe(true);
  expect([...seen].some((what) => what.includes("#/anomalies/"))).toBe(true);
  await page.context().close();
});
