import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../support/data.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-train-"));

function train(args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [join(root, "bin/logguardian.js"), "train", ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
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
});
