import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { chooseGpu, probe } from "../../src/classify/gpu.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-gpu-"));

function script(name: string, content: string): URL {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, content);
  return pathToFileURL(path);
}

describe("a GPU is tried in a process of its own", () => {
  it("says nothing of one that works", async () => {
    expect(await probe(script("works", "process.exit(0)"))).toBeUndefined();
  });

  it("survives an abort and gives llama.cpp's reason", async () => {
    const reason = "CUDA error: the provided PTX was compiled with an unsupported toolchain.";
    const aborts = script("aborts", `console.error(${JSON.stringify(reason)}); process.abort();`);
    expect(await probe(aborts)).toBe(reason.slice(0, -1));
    expect(await probe(script("silent", "process.kill(process.pid, 'SIGABRT')"))).toBe(
      "the trial was ended by SIGABRT",
    );
  });

  it("does not wait for ever", async () => {
    expect(await probe(script("hangs", "setInterval(() => {}, 1000)"), 1_000)).toBe(
      "the trial was ended by SIGKILL",
    );
  });
});

describe("where no GPU is", () => {
  // Tests run on machines without one; on one that has a GPU this says so by failing.
  it("auto takes the CPU, and a number of layers is refused", async () => {
    expect(await chooseGpu("auto")).toEqual({ gpu: false, problem: undefined });
    await expect(chooseGpu(8)).rejects.toThrow(/asks for 8 layers on a GPU, and there is none here/);
  });
});
