import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./support/data.ts";
import { until } from "./support/until.ts";

it("the packed package installs elsewhere and runs: library, command line and API, compiled", async () => {
  const folder = mkdtempSync(join(tmpdir(), "logguardian-package-"));
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
  });
  const tarball = join(folder, packed.trim().split("\n").at(-1) ?? "");
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "package.json"), '{"private":true,"type":"module"}');
  execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", tarball], {
    cwd: elsewhere,
    // Its script would fetch the GPU's libraries; the CPU's are in the package.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" },
  });

  writeFileSync(
    join(elsewhere, "use.mjs"),
    `import { detect } from "logguardian";
     const found = await detect(["one", "two", "three"], { windowSize: 2, stride: 1, rawOutput: true });
     console.log(JSON.stringify(found.map(({ window, margin }) => [window.first, window.last, typeof margin])));`,
  );
  const used = execFileSync(process.execPath, ["use.mjs"], { cwd: elsewhere, encoding: "utf8" });
  expect(JSON.parse(used)).toEqual([
    [0, 1, "number"],
    [1, 2, "number"],
  ]);
  const cli = spawnSync("npx", ["--no", "logguardian", "model", "verify"], {
    cwd: elsewhere,
    encoding: "utf8",
  });
  expect(cli.stderr).toBe("");
  expect(cli.status).toBe(0);

  const bin = join(elsewhere, "node_modules/logguardian/bin/logguardian.js");
  const api = spawn(process.execPath, [bin, "start", "api", "--port", "0"], {
    cwd: elsewhere,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(api, "exit");
  let log = "";
  const portIn = () => /"port":(\d+),"msg":"LogGuardian runs\."/.exec(log)?.[1];
  api.stderr.on("data", (text) => {
    log += text;
  });
  await until(() => portIn() !== undefined || api.exitCode !== null, "the API listens", 120_000);
  expect(log).toContain("LogGuardian runs.");
  // Its page is no TypeScript: it must have been copied.
  const page = await fetch(`http://127.0.0.1:${portIn()}/`);
  expect(await page.text()).toContain("<title>LogGuardian");
  api.kill("SIGTERM");
  expect((await ended)[0]).toBe(0);
  rmSync(folder, { recursive: true });
}, 600_000);
