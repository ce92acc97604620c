import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./support/data.ts";

it("the packed package runs elsewhere: library and command line, compiled", () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "logguardian-package-"));
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", elsewhere], {
    cwd: root,
    encoding: "utf8",
  });
  const tarball = join(elsewhere, packed.trim().split("\n").at(-1) ?? "");
  const home = join(elsewhere, "node_modules/logguardian");
  mkdirSync(home, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"]);
  // Its dependencies are those of this checkout: installing a gigabyte twice proves nothing more.
  symlinkSync(join(root, "node_modules"), join(home, "node_modules"));

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
  const cli = spawnSync(process.execPath, [join(home, "bin/logguardian.js"), "model", "verify"], {
    encoding: "utf8",
  });
  expect(cli.stderr).toBe("");
  expect(cli.status).toBe(0);
});
