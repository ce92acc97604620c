/** Takes the pictures that docs/ shows. Times in them are those of the run. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import { startEmbeddedApi } from "../../test/support/api.ts";
import { openPage, startBrowser } from "../../test/support/browser.ts";
import { root } from "../../test/support/data.ts";
import { faultySessions } from "./logs.ts";
import { terminalSvg } from "./terminal.ts";

const folder = join(root, "docs/images");
/** Of the terminal, about. */
const mostRows = 16;
const size = { width: 1440, height: 900 };

takeTerminal();
const api = await startEmbeddedApi({ LOGGUARDIAN_API_LIMITS_REQUESTS_PER_MINUTE: "100000" });
const browser = await startBrowser();
try {
  for (const { source, lines } of faultySessions(Date.now()))
    await api.ask("/detect", {
      body: { logs: lines.map((line) => ({ ...line, source })), window_size: lines.length },
    });
  const { page } = await openPage(browser, `${api.url}/`, size);
  await page.locator(".row").first().waitFor();
  await page.getByText("● Live").waitFor();
  for (const key of ["j", "j", "j", "c", "j", "j"]) await page.keyboard.press(key);
  await page.locator(".toast.shown").waitFor();
  await hideToast(page);
  await page.getByRole("application").focus();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowUp");
  await take(page, "swimlane");

  const { body } = await api.ask("/patterns");
  const [{ fingerprint }] = body.patterns;
  const { newest } =
    body.patterns.find((one: { newest: { heaviest: { text: string }[] } }) =>
      one.newest.heaviest[0]?.text.includes("exception"),
    ) ?? body.patterns[0];
  await page.goto(`${api.url}/#/anomalies/${newest.id}`);
  await page.locator(".lines").waitFor();
  await take(page, "detail");
  await page.goto(`${api.url}/#/groups`);
  await page.locator("tr[data-fingerprint]").first().waitFor();
  for (const key of ["j", "j", "j", "f"]) await page.keyboard.press(key);
  await page.locator(".suppressions li").waitFor();
  await hideToast(page);
  await take(page, "groups");
  await page.goto(`${api.url}/#/groups/${fingerprint}`);
  await page.locator(".group-summary").waitFor();
  await take(page, "group");

  const { page: dark } = await openPage(browser, `${api.url}/#/anomalies`, { ...size, theme: "dark" });
  await dark.locator(".row").first().waitFor();
  await dark.getByText("● Live").waitFor();
  await take(dark, "dark");
} finally {
  await browser.close();
  await api.stop();
}

async function take(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${name}.png`) });
  console.log(`docs/images/${name}.png`);
}

async function hideToast(page: Page): Promise<void> {
  await page.evaluate("document.querySelector('.toast').classList.remove('shown')");
}

/** `logguardian detect` on a file, on a terminal: `script` lends it one. */
function takeTerminal(): void {
  const cwd = mkdtempSync(join(tmpdir(), "logguardian-terminal-"));
  const { lines } = simulateHdfs({ rate: 200, faultRate: 0.06, seed: 3, lines: 1500 });
  writeFileSync(join(cwd, "hdfs.log"), [...lines].map(({ text }) => `${text}\n`).join(""));
  const args = "detect hdfs.log --layout hdfs --session 'blk_-?\\d+' --gap 24h";
  const program = `'${process.execPath}' '${join(root, "bin/logguardian.js")}' ${args}`;
  const { stdout } = spawnSync("script", ["-qec", program, "/dev/null"], {
    ...{ cwd, encoding: "utf8", input: "" },
    env: { ...process.env, TERM: "xterm-256color" },
  });
  rmSync(cwd, { recursive: true });
  writeFileSync(join(folder, "terminal.svg"), terminalSvg(`logguardian ${args}`, firstRows(stdout)));
  console.log("docs/images/terminal.svg");
}

/** The first anomalies, whole. */
function firstRows(output: string): string {
  const rows = output.replaceAll("\r", "").trimEnd().split("\n");
  const end = rows.findIndex((row, place) => place > mostRows && !row.startsWith("  "));
  return rows.slice(0, end === -1 ? rows.length : end).join("\n");
}
