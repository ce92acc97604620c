import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../support/data.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-train-"));

function run(args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [join(root, "bin/logguardian.js"), ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
}

const train = (args: string[], env?: NodeJS.ProcessEnv) => run(["train", ...args], env);

/** What uv would be asked to give the trainer. */
function asked(...args: string[]): string[] {
  const uv = join(folder, "uv");
  writeFileSync(uv, `#!/bin/sh\nprintf '%s\\n' "$@"\n`, { mode: 0o755 });
  const { status, stdout, stderr } = run(args, { LOGGUARDIAN_UV: uv });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const words = stdout.trimEnd().split("\n");
  expect(words).toContain("logguardian_training");
  return words.slice(words.indexOf("logguardian_training") + 1);
}

describe("train", () => {
  it("answers as the trainer does, and finds files from where it was called", () => {
    writeFileSync(join(folder, "half.yaml"), "name: half\n");
    const { status, stderr } = train(["--config", "half.yaml"]);
    expect(stderr).toMatch(/missing key half\.yaml\.model/);
    expect(status).toBe(1);
  });

  it("says what is missing where uv is not", () => {
    const { status, stderr } = train(["--config", "half.yaml"], { LOGGUARDIAN_UV: "/nowhere/uv" });
    expect(stderr).toMatch(/cannot be started \(\/nowhere\/uv\)\. It is needed for training\. Install uv/);
    expect(status).toBe(1);
  });

  it("refuses a recipe that does not exist before uv is asked for anything", () => {
    const { status, stderr } = train(["--config", "none.yaml"], { LOGGUARDIAN_UV: "/nowhere/uv" });
    expect(stderr).toMatch(/The recipe none\.yaml does not exist\. .*\(LG_RECIPE_FILE\)/);
    expect(status).toBe(1);
  });

  it("says that memory may have run out when the trainer was killed, and that it goes on", () => {
    const uv = join(folder, "killed-uv");
    writeFileSync(uv, '#!/bin/sh\n[ "$1" = --version ] || kill -KILL $$\n', { mode: 0o755 });
    const { status, stderr } = train(["--config", "half.yaml"], { LOGGUARDIAN_UV: uv });
    expect(stderr).toMatch(/killed \(SIGKILL\).*memory.*same command goes on/);
    expect(status).toBe(137);
  });

  it("passes on what it is given: values, values given several times, and flags", () => {
    mkdirSync(join(folder, "x"));
    for (const name of ["x/my.yaml", "my.yaml"]) writeFileSync(join(folder, name), "name: my\n");
    const replaced = ["--set", "training.prior_share=0", "--set", "name=other one"];
    const words = asked("train", "--config", "x/my.yaml", "--teacher-windows", "9", ...replaced, "--dry-run");
    expect(words.shift()).toBe("train");
    expect(words.join(" ")).toContain("--set training.prior_share=0 --set name=other one");
    expect(words.sort()).toEqual(
      [
        "--config",
        "x/my.yaml",
        "--teacher-windows",
        "9",
        ...replaced,
        "--dry-run",
        "--out",
        "build/my",
      ].sort(),
    );
    expect(asked("train", "--config", "my.yaml", "--out", "here").sort()).toEqual(
      ["train", "--config", "my.yaml", "--out", "here"].sort(),
    );
  });
});

describe("splits", () => {
  it("passes on what it is given", () => {
    const words = asked("splits", "--out", "parts", "--data", "/logs", "--with-train");
    expect(words.shift()).toBe("splits");
    expect(words.sort()).toEqual(["--out", "parts", "--data", "/logs", "--with-train"].sort());
    expect(asked("splits", "--out", "parts")).toEqual(["splits", "--out", "parts"]);
  });

  it("says what is missing where uv is not", () => {
    const { status, stderr } = run(["splits", "--out", "parts"], { LOGGUARDIAN_UV: "/nowhere/uv" });
    expect(stderr).toContain("It is needed for the splits.");
    expect(status).toBe(1);
  });
});
