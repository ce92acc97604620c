import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// All that tests and their processes write for themselves lies in one folder, which stays only where one has failed.
const scratch = mkdtempSync(join(tmpdir(), "logguardian-tests-"));
process.env.TMPDIR = scratch;
process.once("exit", (code) => {
  if (code === 0) rmSync(scratch, { recursive: true, force: true });
  else console.error(`What the tests wrote is in ${scratch}.`);
});

// Models and processes are started for real; nothing here is timed.
// What a command prints is compared as it is in a pipe, wherever the tests run.
const env = { FORCE_COLOR: "0" };
const shared = { testTimeout: 300_000, hookTimeout: 300_000, pool: "forks" as const, env };
const withServices = "test/**/*.services.test.ts";

export default defineConfig({
  test: {
    // One more than the smallest machine has cores: much is waiting for services.
    maxWorkers: 3,
    projects: [
      { test: { ...shared, name: "alone", include: ["test/**/*.test.ts"], exclude: [withServices] } },
      {
        test: {
          ...shared,
          name: "with services",
          include: [withServices],
          globalSetup: "test/support/start-services.ts",
        },
      },
    ],
  },
});
