import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { ensureCommands } from "../../scripts/setup.mjs";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Debian's Chromium: installed where we may, else the run ends and says what is missing. */
export async function startBrowser(): Promise<Browser> {
  ensureCommands({ chromium: "chromium" });
  const executablePath = places.find((place) => existsSync(place)) ?? "chromium";
  return chromium.launch({ executablePath, args: ["--disable-dev-shm-usage"], timeout: 240_000 });
}

export type Theme = "light" | "dark";

/** A page of its own context, whose mistakes are collected. */
export async function openPage(
  browser: Browser,
  url: string,
  { theme = "light" as Theme, width = 1440, height = 960 } = {},
): Promise<{ page: Page; mistakes: string[] }> {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport: { width, height },
    reducedMotion: "reduce",
    deviceScaleFactor: 1,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const mistakes: string[] = [];
  page.on("pageerror", (error) => mistakes.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") mistakes.push(message.text());
  });
  await page.goto(url);
  return { page, mistakes };
}
