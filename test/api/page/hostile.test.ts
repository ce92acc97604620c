import { expect, it } from "vitest";
import { anomalyAt } from "../../support/anomalies.ts";
import { openPage, startBrowser } from "../../support/browser.ts";
import { startPageServer } from "../../support/page-server.ts";

const hostile = [
  `<img src=x onerror="window.broken=1"><script>window.broken=1</script>`,
  `"><svg onload=window.broken=1>&lt;b&gt;`,
  "\u001b[31mred\u001b[0m \u0007bell \u0008back",
  "user \u202egnp.exe\u202c \u2066hidden\u2069 \u200bzero",
  `javascript:window.broken=1 #/anomalies/x?text=<b>`,
  `${"A".repeat(8000)}<i>end</i>`,
];
const shown = "user \\u202egnp.exe\\u202c \\u2066hidden\\u2069 \\u200bzero";

it("shows hostile log text as the text that it is, everywhere", async () => {
  const line = (text: string, place: number) => ({
    ...{ text, masked: text, time: "2026-11-24T00:00:00.000Z", weight: 6 - place, host: hostile[0] ?? "" },
    ...{ file: hostile[3] ?? "", position: `raw:0:${place}:0` },
  });
  const api = await startPageServer([
    anomalyAt(1, { lines: hostile.map(line), key: hostile[1] ?? "", pipeline: "a'; rm -rf / #<b>" }),
  ]);
  const browser = await startBrowser();
  try {
    const { page, mistakes } = await openPage(browser, `${api.url}/`);
    const everywhere = async () => {
      expect(await page.evaluate("window.broken")).toBeUndefined();
      expect(
        await page.locator("#app :is(img, script, i:not(.scale i, .meter i), b:not(.meter b))").count(),
      ).toBe(0);
      // Nothing that turns text round, or that no one sees.
      expect(await page.locator("body").innerText()).not.toMatch(/[\u0007\u0008\u001b\u200b\u202e\u2066]/);
    };
    await page.locator(".row").waitFor();
    expect(await page.locator(".row a").textContent()).toBe(hostile[0]);
    await everywhere();
    await page.locator(".lanes button").click();
    await page.locator(".row").waitFor();
    await everywhere();
    await page.locator(".row").click();
    const lines = page.locator(".lines code");
    await lines.first().waitFor();
    expect(await lines.nth(0).textContent()).toBe(hostile[0]);
    expect(await lines.nth(2).textContent()).toBe("␛[31mred␛[0m ␇bell ␈back");
    expect(await lines.nth(3).textContent()).toBe(shown);
    const long = lines.nth(5);
    expect((await long.textContent())?.length).toBeLessThan(700);
    await long.getByRole("button").click();
    expect(await long.textContent()).toBe(hostile[5]);
    const width = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(width).toBeLessThanOrEqual(0);
    const silence = await page.locator(".next code").last().textContent();
    expect(silence).toContain(`pipeline='a'\\''; rm -rf / #<b>'`);
    await everywhere();
    await page.goto(`${api.url}/#/groups`);
    await page.locator("tr[data-fingerprint]").waitFor();
    await everywhere();
    await page.keyboard.press("Enter");
    await page.locator(".group-summary").waitFor();
    await everywhere();
    await page.goto(`${api.url}/#/groups/%3Cimg%20src=x%20onerror=window.broken=1%3E`);
    await page.getByText("This group is not known").waitFor();
    await everywhere();
    expect(mistakes).toEqual([]);
  } finally {
    await browser.close();
    await api.stop();
  }
});
