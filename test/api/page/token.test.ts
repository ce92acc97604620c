import { expect, it } from "vitest";
import { startEmbeddedApi } from "../../support/api.ts";
import { violationsOf } from "../../support/axe.ts";
import { openPage, startBrowser } from "../../support/browser.ts";

const token = "a-token-of-thirty-two-characters-or-more";

it("asks for a token where the API does, keeps it for the tab alone, and says when the API is gone", async () => {
  const api = await startEmbeddedApi({ LOGGUARDIAN_API_TOKEN: token });
  const browser = await startBrowser();
  try {
    const { page } = await openPage(browser, `${api.url}/`);
    const dialog = page.getByRole("dialog", { name: "Token" });
    await dialog.waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await dialog.getByLabel("Bearer token").fill("wrong");
    await page.keyboard.press("Enter");
    await dialog.getByText("This token is not known.").waitFor();
    await dialog.getByLabel("Bearer token").fill(token);
    await page.keyboard.press("Enter");
    await page.getByText("No anomalies yet").waitFor();
    await page.getByText("● Live").waitFor();
    expect(await page.locator(".state code").first().textContent()).toContain(
      "Bearer $LOGGUARDIAN_API_TOKEN",
    );
    expect(page.url()).not.toContain(token);
    expect(await page.evaluate("JSON.stringify(localStorage) + document.cookie")).not.toContain(token);

    await page.reload();
    await page.getByText("No anomalies yet").waitFor();
    const { page: other } = await openPage(browser, `${api.url}/`);
    await other.getByRole("dialog", { name: "Token" }).waitFor();

    await api.stop();
    await page.getByText("Disconnected").waitFor();
    await page.keyboard.press("g");
    await page.getByText("LogGuardian does not answer").waitFor();
    await page
      .getByRole("button", { name: "Forget token" })
      .click()
      .catch(() => undefined);
    expect(await page.evaluate("sessionStorage.length").catch(() => 0)).toBe(0);
  } finally {
    await browser.close();
    await api.stop();
  }
});
