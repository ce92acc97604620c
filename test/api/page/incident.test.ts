import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { anomalyAt, idOf } from "../../support/anomalies.ts";
import { openPage, startBrowser } from "../../support/browser.ts";
import { startPageServer } from "../../support/page-server.ts";
import { until } from "../../support/until.ts";

const fingerprint = "00000000000000aa";
/** More than the API answers in a minute, were each of them asked about. */
const [looks, ofEach] = [8, 80];

let browser: Browser;
let page: Page | undefined;
let api: Awaited<ReturnType<typeof startPageServer>> | undefined;
beforeAll(async () => {
  browser = await startBrowser();
});
afterEach(async () => {
  await page?.context().close();
  await api?.stop();
});
afterAll(() => browser?.close());

it("asks again now and then, one question at a time, however many windows of the open group are found", async () => {
  api = await startPageServer([anomalyAt(0)]);
  ({ page } = await openPage(browser, `${api.url}/#/groups/${fingerprint}`));
  await page.locator(".group .row").waitFor();
  await page.getByText("● Live").waitFor();
  let [asked, open, most] = [0, 0, 0];
  const began = Date.now();
  await page.route("**/patterns?*", async (route) => {
    asked++;
    most = Math.max(most, ++open);
    // Longer than it takes until the next one is due.
    await sleep(3000);
    open--;
    await route.continue();
  });
  for (let look = 0; look < looks; look++) {
    const place = (one: number) => 1 + look * ofEach + one;
    await api.put(Array.from({ length: ofEach }, (_, one) => anomalyAt(place(one))));
    await sleep(600);
  }
  const table = page.getByRole("table");
  const all = 1 + looks * ofEach;
  await until(
    async () => (await table.getAttribute("aria-rowcount")) === String(all + 1),
    "all of them are shown",
  );
  expect(most).toBe(1);
  expect(asked).toBeLessThanOrEqual(2 + (Date.now() - began) / 3000);
});

it("shows a group that is none of the five hundred most frequent", async () => {
  const frequent = Array.from({ length: 1002 }, (_, place) =>
    anomalyAt(1 + place, { fingerprint: `f${place % 501}` }),
  );
  api = await startPageServer([anomalyAt(0), ...frequent]);
  expect((await api.ask("/patterns")).body.partial).toBe(true);
  ({ page } = await openPage(browser, `${api.url}/#/groups/${fingerprint}`));
  await page.locator(".group-summary").getByText("1 anomalous window of 1 origin").waitFor();
});

it("shows no answer to a question that nobody asks any more", async () => {
  api = await startPageServer([
    anomalyAt(0, { pipeline: "slow", fingerprint: "00000000000000bb" }),
    anomalyAt(1, { pipeline: "quick" }),
  ]);
  ({ page } = await openPage(browser, `${api.url}/#/groups`));
  const groups = page.locator("tr[data-fingerprint]");
  await groups.nth(1).waitFor();
  let isOver = false;
  const release = Promise.withResolvers<void>();
  await page.route("**/patterns?*pipeline=slow*", async (route) => {
    await release.promise;
    await route.continue().catch(() => undefined);
  });
  for (const end of ["requestfinished", "requestfailed"] as const)
    page.on(end as "requestfinished", (request) => {
      isOver ||= request.url().includes("pipeline=slow");
    });
  await page.getByRole("combobox", { name: "Pipeline" }).selectOption("slow");
  await page.getByRole("combobox", { name: "Pipeline" }).selectOption("quick");
  await until(async () => (await groups.count()) === 1, "only one group is shown");
  release.resolve();
  await until(() => isOver, "the older question is over");
  await sleep(200);
  expect(await groups.getAttribute("data-fingerprint")).toBe(fingerprint);
});

it.each([429, 503])("keeps what it shows while the API answers %i, and asks again", async (status) => {
  api = await startPageServer([anomalyAt(0)]);
  ({ page } = await openPage(browser, `${api.url}/#/groups`));
  const count = page.locator(`tr[data-fingerprint="${fingerprint}"] td.number`).first();
  await count.waitFor();
  await page.getByText("● Live").waitFor();
  let refused = 0;
  const refuse = (route: Route) => {
    refused++;
    const json = { type: "about:blank", status, code: "LG_API_AWAY", detail: "Come again." };
    return route.fulfill({ status, json, contentType: "application/problem+json" });
  };
  await page.route("**/patterns?*", refuse);
  await api.put([anomalyAt(1)]);
  await until(() => refused > 1, "it asked again");
  expect(await count.textContent()).toBe("1");
  expect(await page.getByText("This could not be loaded").count()).toBe(0);
  await page.unroute("**/patterns?*", refuse);
  await until(async () => (await count.textContent()) === "2", "the answer is shown");
});

it("keeps the anomaly that is being read while the API cannot give it anew", async () => {
  api = await startPageServer([anomalyAt(0)]);
  ({ page } = await openPage(browser, `${api.url}/#/anomalies/${idOf(0)}`));
  const lines = page.locator(".lines");
  await lines.waitFor();
  await page.getByText("● Live").waitFor();
  let refused = 0;
  await page.route(`**/anomalies/${idOf(0)}`, (route) => {
    refused++;
    return route.fulfill({ status: 503, json: { code: "LG_API_AWAY", detail: "Come again." } });
  });
  await page.keyboard.press("f");
  await page.locator(".toast").getByText("False alarm").waitFor();
  await until(() => refused > 1, "it asked again");
  expect(await lines.isVisible()).toBe(true);
});

it("says that what was said may yet be saved, where the API cannot tell", async () => {
  const saving = Promise.withResolvers<void>();
  api = await startPageServer([anomalyAt(0)], { saving: saving.promise });
  ({ page } = await openPage(browser, `${api.url}/`));
  const row = page.locator(".row");
  await row.waitFor();
  await page.getByText("● Live").waitFor();
  await page.keyboard.press("f");
  const toast = page.locator(".toast");
  await toast.getByText("It may yet be saved").waitFor();
  expect(await toast.textContent()).not.toContain("Not saved");
  saving.resolve();
  await row.getByText("✕ false alarm").waitFor();
  await page.keyboard.press("u");
  await toast.getByText("Taken back").waitFor();
  expect((await api.ask(`/anomalies/${idOf(0)}`)).body.feedback).toBeNull();
});
