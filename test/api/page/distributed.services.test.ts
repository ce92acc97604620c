import type { Browser } from "playwright-core";
import { afterAll, expect, it } from "vitest";
import { anomalyAt, idOf } from "../../support/anomalies.ts";
import { apiOf } from "../../support/api.ts";
import { openPage, startBrowser } from "../../support/browser.ts";
import { publish } from "../../support/publish.ts";
import { services } from "../../support/services.ts";
import { Stream } from "../../support/stream.ts";
import { until } from "../../support/until.ts";

const stream = new Stream(services, `test-page-${Date.now()}`);
let browser: Browser | undefined;
afterAll(async () => {
  await browser?.close();
  stream.abandon();
});

it("shows what a pipeline finds as it comes; what is said of it by a key is durable, until it is taken back", async () => {
  const pipeline = {
    ...{ topics: [`${stream.prefix}-raw`], from: "earliest", format: "filebeat", layout: "hdfs" },
    ...{ key: { pattern: "blk_-?\\d+" }, window: { kind: "session", gap: "24h" }, partitions: 2 },
  };
  stream.configure({ pipelines: { hdfs: pipeline } });
  const api = apiOf(await stream.start("api"));
  browser = await startBrowser();
  const { page, mistakes } = await openPage(browser, `${api.url}/`);
  await page.getByText("No anomalies yet").waitFor();
  await page.getByText("● Live").waitFor();

  await publish(stream, [anomalyAt(1)]);
  const row = page.locator(`[data-id="${idOf(1)}"]`);
  await row.getByText("exception 1 of disk").waitFor();
  const suppressed = async () => (await api.ask("/suppressions")).body.suppressions;
  await page.keyboard.press("f");
  await page
    .locator(".toast")
    .getByText(/False alarm|It may yet be saved/)
    .waitFor();
  await until(async () => (await suppressed()).length === 1, "it is suppressed");
  expect(await suppressed()).toMatchObject([{ anomaly_id: idOf(1), state: "active", by: "local" }]);
  const said = await stream.readAll(`${stream.prefix}.feedback`);
  // A producer that is not sure sends again.
  expect(new Set(said.map(({ key }) => String(key)))).toEqual(new Set([idOf(1)]));
  await page.reload();
  await row.getByText("✕ false alarm").waitFor();
  await page.goto(`${api.url}/#/groups`);
  await page.locator(".suppressions li").waitFor();

  await page.keyboard.press("u");
  await page.locator(".suppressions").waitFor({ state: "hidden" });
  expect(await suppressed()).toEqual([]);
  await page.keyboard.press("Enter");
  await page.locator(".group .row").getByText("exception 1 of disk").waitFor();
  expect(mistakes).toEqual([]);
  await stream.stop();
});
