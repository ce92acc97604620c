import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Api, startEmbeddedApi } from "../../support/api.ts";
import { openPage, startBrowser } from "../../support/browser.ts";
import { until } from "../../support/until.ts";

const faulty = [
  "Receiving block blk_1 src: /10.0.0.1:4000 dest: /10.0.0.2:50010",
  "writeBlock blk_1 received exception java.io.IOException: Could not read from stream",
];
const heaviest = faulty[1] ?? "";
const hour = 3_600_000;
const noon = Date.UTC(2026, 10, 24, 12);

let api: Api;
let browser: Browser;
let page: Page;
let mistakes: string[];

beforeAll(async () => {
  // Each page is forty files, and here one follows the other.
  const env = { LOGGUARDIAN_API_LIMITS_REQUESTS_PER_MINUTE: "100000" };
  [api, browser] = await Promise.all([startEmbeddedApi(env), startBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await api?.stop();
});
beforeEach(async () => {
  ({ page, mistakes } = await openPage(browser, "about:blank"));
});
afterEach(async () => {
  await page.context().close();
  // Among them what the content security policy refused.
  expect(mistakes).toEqual([]);
});

/** Each of its own place and time, so that each is an anomaly of its own. */
async function plant(source: string, at: number, lines = faulty): Promise<string> {
  const logs = lines.map((message) => ({ message, source, timestamp: at }));
  const { body } = await api.ask("/detect", { body: { logs, window_size: lines.length } });
  expect(body.results[0].verdict).toBe("anomalous");
  return body.results[0].id;
}

const open = (hash = "") => page.goto(`${api.url}/${hash}`);
const row = (id: string) => page.locator(`[data-id="${id}"]`);
const toast = () => page.locator(".toast");
const feedbackOf = async (id: string) => (await api.ask(`/anomalies/${id}`)).body.feedback;

describe("the triage page of an API that runs", () => {
  it("says what to do where there is nothing yet, and shows what is found without being asked again", async () => {
    await open();
    const state = page.locator(".state");
    await state.getByText("No anomalies yet").waitFor();
    const command = await state.locator("code").first().textContent();
    expect(command).toContain(`${api.url}/detect`);
    await expect(state.locator("code").nth(1).textContent()).resolves.toBe("logguardian start");
    await page.getByText("● Live").waitFor();

    const [, body = ""] = /-d '(.*)'$/s.exec(command ?? "") ?? [];
    const { body: detected } = await api.ask("/detect", { body });
    expect(detected.results[0].verdict).toBe("anomalous");
    await row(detected.results[0].id).waitFor();
    expect(await state.count()).toBe(0);
    expect(await row(detected.results[0].id).textContent()).toContain("java.io.IOException");
  });

  it("is walked through by keys: next, open, next, back", async () => {
    const older = await plant("keys-1", noon);
    const newer = await plant("keys-2", noon + hour);
    await open("#/anomalies?text=keys-");
    await row(newer).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    expect(await row(older).getAttribute("data-selected")).toBe("");
    expect(await page.evaluate("document.activeElement.textContent")).toBe(heaviest);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: heaviest }).waitFor();
    expect(page.url()).toContain(`#/anomalies/${older}`);
    await page.keyboard.press("k");
    await page.waitForURL((url) => url.hash.startsWith(`#/anomalies/${newer}`));
    await page.locator(".facts").getByText("keys-2").waitFor();
    await page.keyboard.press("Escape");
    await row(older).waitFor();
    expect(new URL(page.url()).hash).toBe("#/anomalies?text=keys-");
  });

  it("opens an anomaly by its address, and answers what whoever was woken asks", async () => {
    const id = await plant("deep", noon);
    await open(`#/anomalies/${id}`);
    await page.getByRole("heading", { level: 1, name: heaviest }).waitFor();
    const facts = (await page.locator(".facts").textContent()) ?? "";
    const { body } = await api.ask(`/anomalies/${id}`);
    expect(await page.locator(".lead").textContent()).toBe(
      "2 lines of deep, at 2026-11-24 12:00:00 UTC, are anomalous.",
    );
    for (const part of ["deep", "2026-11-24 12:00:00 UTC", body.score.toFixed(3), body.threshold.toFixed(3)])
      expect(facts).toContain(part);
    expect(facts).toContain(`novelty ${body.novelty.toFixed(3)}`);

    const lines = page.locator(".lines > li");
    expect(await lines.locator("code").allTextContents()).toEqual(faulty);
    const styles = await Promise.all([0, 1].map((place) => lines.nth(place).getAttribute("style")));
    const shares = styles.map((style) => /--share: ([\d.]+)/.exec(style ?? "")?.[1]);
    expect(Number(shares[1])).toBe(1);
    expect(Number(shares[0])).toBeLessThan(1);
    await page.keyboard.press("m");
    expect(await lines.locator("code").allTextContents()).toEqual(
      body.document.logguardian.lines.map(({ masked }: { masked: string }) => masked),
    );
    const command = await page.locator(".next code").textContent();
    expect(command).toBe(`curl -s ${api.url}/anomalies/${id} | jq -c .document | logguardian explain -`);
  });

  it("takes feedback by one key, says so, and takes it back by one key or the button", async () => {
    const id = await plant("feedback", noon);
    await open("#/anomalies?text=feedback");
    await row(id).waitFor();
    await page.keyboard.press("f");
    await toast().getByText("False alarm").waitFor();
    await row(id).getByText("✕ false alarm").waitFor();
    expect(await feedbackOf(id)).toMatchObject({ judgement: "false-alarm", by: "local" });
    await page.keyboard.press("u");
    await toast().getByText("Taken back").waitFor();
    expect(await feedbackOf(id)).toBeNull();

    await page.keyboard.press("c");
    await row(id).getByText("✓ confirmed").waitFor();
    await toast().getByRole("button", { name: "Undo" }).click();
    await toast().getByText("Taken back").waitFor();
    expect(await feedbackOf(id)).toBeNull();

    await open(`#/anomalies/${id}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.keyboard.press("c");
    await page.locator(".detail .said").getByText("✓ confirmed").waitFor();
    // What somebody else says is seen, too.
    await api.ask(`/anomalies/${id}/feedback`, { body: { judgement: "false-alarm" } });
    await page.locator(".detail .said").getByText("✕ false alarm").waitFor();
    await page.keyboard.press("u");
    await page.locator(".detail .said").waitFor({ state: "hidden" });
    expect(await feedbackOf(id)).toBeNull();
  });

  it("takes back what was said last, however fast the keys come", async () => {
    const older = await plant("fast-1", noon);
    const newer = await plant("fast-2", noon + hour);
    await open("#/anomalies?text=fast-");
    await row(newer).waitFor();
    for (const key of ["j", "j", "f"]) await page.keyboard.press(key);
    await row(older).getByText("✕ false alarm").waitFor();
    await page.keyboard.press("k");
    await page.route("**/feedback", async (route) => {
      await sleep(300);
      await route.continue();
    });
    for (const key of ["f", "u"]) await page.keyboard.press(key);
    await toast().getByText("Taken back").waitFor();
    expect(await feedbackOf(older)).toMatchObject({ judgement: "false-alarm" });
    expect(await feedbackOf(newer)).toBeNull();
    await api.ask(`/anomalies/${older}/feedback`, { body: { judgement: "undone" } });
  });

  it("takes a note, and until when, where somebody asks to say more", async () => {
    const id = await plant("noted", noon);
    await open("#/anomalies?text=noted");
    await row(id).waitFor();
    await page.keyboard.press("F");
    const dialog = page.getByRole("dialog", { name: "Say more" });
    await dialog.getByLabel("Note").fill("planned <b>failover</b>");
    await dialog.getByLabel("Until").fill("2001-01-01T00:00");
    await page.keyboard.press("Enter");
    expect(await dialog.isVisible()).toBe(true);
    await dialog.getByLabel("Until").fill("2101-01-01T00:00");
    await dialog.getByLabel("Note").press("Enter");
    await toast().getByText("alerts nobody until 2101-01-01 00:00:00 UTC").waitFor();
    expect(await feedbackOf(id)).toMatchObject({
      ...{ judgement: "false-alarm", note: "planned <b>failover</b>", until: "2101-01-01T00:00:00.000Z" },
    });

    await open(`#/anomalies/${id}`);
    const said = page.locator(".detail .said");
    await said
      .filter({ hasText: "by local until 2101-01-01 00:00:00 UTC “planned <b>failover</b>”" })
      .waitFor();
    await page.getByRole("button", { name: "Say more" }).press("Enter");
    expect(await dialog.getByLabel("Note").inputValue()).toBe("");
    await dialog.getByLabel("It is one: confirm it").check();
    expect(await dialog.getByLabel("Until").isVisible()).toBe(false);
    await dialog.getByLabel("Note").fill("the disk was dying");
    await dialog.getByRole("button", { name: "Say it" }).click();
    await said.filter({ hasText: "✓ confirmed by local “the disk was dying”" }).waitFor();
    expect(await feedbackOf(id)).toMatchObject({ judgement: "confirmed", until: null });

    await page.keyboard.press("F");
    await dialog.getByLabel("Note").fill("left again");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    expect(await feedbackOf(id)).toMatchObject({ note: "the disk was dying" });
    await api.ask(`/anomalies/${id}/feedback`, { body: { judgement: "undone" } });
  });

  it("leaves Enter to what has the focus, and the view to the skip link", async () => {
    const id = await plant("enter", noon);
    await open("#/anomalies?text=enter");
    await row(id).waitFor();
    await page.getByRole("button", { name: "Theme: system" }).press("Enter");
    await page.getByRole("button", { name: "Theme: light" }).waitFor();
    await page.getByRole("link", { name: "Groups" }).press("Enter");
    const group = page.locator("tr[data-fingerprint]").first();
    await group.waitFor();
    await page.getByRole("button", { name: "Origins" }).press("Enter");
    await page.locator("th[aria-sort]").getByText("Origins").waitFor();
    const { hash } = new URL(page.url());
    expect(hash).toBe("#/groups?text=enter");
    await page.getByRole("link", { name: "Skip to the content" }).press("Enter");
    expect(new URL(page.url()).hash).toBe(hash);
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await page.keyboard.press("Enter");
    await page.locator(".group-summary").waitFor();
  });

  it("says nothing of what is typed into a field, and nothing at all while keys are switched off", async () => {
    const id = await plant("typed", noon);
    await open("#/anomalies?text=typed");
    await row(id).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("cfu");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys" });
    await help.getByLabel("Single keys work").uncheck();
    await help.getByRole("button", { name: "Close" }).click();
    await page.keyboard.press("g");
    expect(new URL(page.url()).hash).toMatch(/^#\/anomalies/);
    expect(await feedbackOf(id)).toBeNull();
  });

  it("groups by fingerprint, marks what is suppressed, and lists it with a way back", async () => {
    const id = await plant("group-1", noon);
    await plant("group-2", noon + hour);
    const { fingerprint } = (await api.ask(`/anomalies/${id}`)).body;
    await open("#/groups");
    const group = page.locator(`tr[data-fingerprint="${fingerprint}"]`);
    await group.waitFor();
    const { body } = await api.ask("/patterns");
    const pattern = body.patterns.find((one: { fingerprint: string }) => one.fingerprint === fingerprint);
    expect(await group.locator("td.number").allTextContents()).toEqual([
      ...[String(pattern.windows), String(pattern.origins), pattern.novelty.toFixed(2)],
    ]);
    expect(await group.locator("svg rect").count()).toBe(pattern.trend.length);

    await page.getByRole("button", { name: /^Last seen/ }).click();
    const sorted = page.locator('th[aria-sort="descending"]');
    expect(await sorted.textContent()).toContain("Last seen");

    await page.keyboard.press("f");
    await group.getByText("◌ suppressed").waitFor();
    const suppressed = page.locator(".suppressions li");
    expect(await suppressed.count()).toBe(1);
    await suppressed.getByRole("button", { name: "Take back" }).click();
    await group.getByText("◌ suppressed").waitFor({ state: "detached" });
    expect((await api.ask("/suppressions")).body.suppressions).toEqual([]);

    await group.getByRole("link").click();
    await page.waitForURL((url) => url.hash === `#/groups/${fingerprint}`);
    await page.locator(".group-summary .origins").getByText("group-2").waitFor();
    expect(await page.locator(".group .row").count()).toBe(Math.min(pattern.windows, 20));
  });

  it("leaves the focus where it is when groups come anew, and takes back what was said last, not what was before", async () => {
    const older = await plant("again-1", noon);
    await api.ask(`/anomalies/${older}/feedback`, { body: { judgement: "false-alarm" } });
    const { fingerprint } = (await api.ask(`/anomalies/${older}`)).body;
    await open("#/groups");
    const takeBack = page.locator(".suppressions").getByRole("button", { name: "Take back" });
    await takeBack.focus();
    const counted = page.locator(`tr[data-fingerprint="${fingerprint}"] td.number`).first();
    const count = Number(await counted.textContent());
    const newer = await plant("again-2", noon + 2 * hour);
    await until(async () => Number(await counted.textContent()) === count + 1, "the group has one more");
    expect(await page.locator(":focus").textContent()).toBe("Take back");

    await page.keyboard.press("f");
    await page.keyboard.press("u");
    await toast().getByText("Taken back").waitFor();
    expect([await feedbackOf(older), await feedbackOf(newer)]).toMatchObject([
      { judgement: "false-alarm" },
      null,
    ]);
    const { suppressions } = (await api.ask("/suppressions")).body;
    expect(suppressions).toMatchObject([{ anomaly_id: older }]);
    await takeBack.click();
    await takeBack.waitFor({ state: "detached" });
  });

  it("keeps its filter in the address, and shows it again from there", async () => {
    const id = await plant("filter-me", noon);
    const other = await plant("filter-other", noon);
    await open();
    await row(other).waitFor();
    await page.getByRole("combobox", { name: "Origin" }).selectOption("filter-me");
    await row(other).waitFor({ state: "detached" });
    expect(new URL(page.url()).hash).toBe("#/anomalies?origin=filter-me");
    await page.reload();
    await row(id).waitFor();
    expect(await page.getByRole("combobox", { name: "Origin" }).inputValue()).toBe("filter-me");
    expect(await page.locator(".row").count()).toBe(1);
    await page.getByRole("searchbox").fill("no such text");
    await page.getByText("Nothing matches this filter").waitFor();
    await page.locator(".state").getByRole("button", { name: "Clear filters" }).click();
    await row(other).waitFor();
    expect(new URL(page.url()).hash).toBe("#/anomalies");
  });

  it("looks for text in all that was asked for, also in what came meanwhile", async () => {
    const id = await plant("search-1", noon);
    await open("#/anomalies?text=search-0");
    await page.getByText("Nothing matches this filter").waitFor();
    await page.getByText("● Live").waitFor();
    const found = await plant("search-0", noon);
    await row(found).waitFor();
    const meanwhile = await plant("search-2", noon);
    await page.getByRole("searchbox").fill("search-");
    for (const one of [id, found, meanwhile]) await row(one).waitFor();
  });

  it("narrows to a time that is typed, in UTC, and to no time that cannot be", async () => {
    const before = await plant("time-1", noon);
    const after = await plant("time-2", noon + hour);
    await open("#/anomalies?text=time-&last=7d");
    const time = page.getByRole("combobox", { name: "Time" });
    const [from, to] = [page.getByLabel("From (UTC)"), page.getByLabel("To (UTC)")];
    const range = () => {
      const asked = new URLSearchParams(new URL(page.url()).hash.split("?")[1]);
      return ["last", "from", "to"].map((name) => asked.get(name));
    };
    await time.waitFor();
    expect(await from.isVisible()).toBe(false);
    await time.selectOption("range");
    await row(before).waitFor();
    await from.fill("2026-11-24T12:30");
    await row(before).waitFor({ state: "detached" });
    await row(after).waitFor();
    expect(range()).toEqual([null, "2026-11-24T12:30:00.000Z", null]);
    await page.reload();
    await row(after).waitFor();
    expect(await from.inputValue()).toBe("2026-11-24T12:30");
    // No time is both.
    await to.fill("2026-11-24T12:10");
    await from.fill("");
    await row(before).waitFor();
    await row(after).waitFor({ state: "detached" });
    expect(range()).toEqual([null, null, "2026-11-24T12:10:00.000Z"]);
    await time.selectOption("");
    await row(after).waitFor();
    expect(range()).toEqual([null, null, null]);
    expect(await to.isVisible()).toBe(false);
    await open("#/anomalies?text=time-&from=yesterday");
    await row(after).waitFor();
  });

  it("moves through the timeline by arrow keys, and says what is under them", async () => {
    const id = await plant("lane-a", noon);
    await plant("lane-b", noon + hour);
    await open("#/anomalies?text=lane-");
    await row(id).waitFor();
    const stage = page.getByRole("application");
    await stage.focus();
    await page.keyboard.press("ArrowRight");
    const tip = page.locator(".tip");
    await tip.getByText("lane-a").waitFor();
    expect(await tip.textContent()).toContain(heaviest);
    await page.keyboard.press("ArrowDown");
    await tip.getByText("lane-b").waitFor();
    expect(await page.locator(".timeline [aria-live]").textContent()).toContain("lane-b");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.hash.startsWith(`#/anomalies/${id}`));
  });

  it("follows the system's light and dark, until somebody chooses", async () => {
    await open();
    const theme = () => page.evaluate("document.documentElement.dataset.theme");
    await page.getByRole("button", { name: "Theme: system" }).waitFor();
    expect(await theme()).toBe("light");
    await page.emulateMedia({ colorScheme: "dark" });
    await until(async () => (await theme()) === "dark", "it is dark");
    await page.keyboard.press("t");
    expect(await theme()).toBe("light");
    await page.reload();
    await page.getByRole("button", { name: "Theme: light" }).waitFor();
    expect(await theme()).toBe("light");
  });
});
