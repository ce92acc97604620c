import { defineConfig } from "vitest/config";

// Models and processes are started for real; nothing here is timed.
// What a command prints is compared as it is in a pipe, wherever the tests run.
const env = { FORCE_COLOR: "0" };
const shared = { testTimeout: 300_000, hookTimeout: 300_000, pool: "forks" as const, env };
const withServices = "test/**/*.services.test.ts";

export default defineConfig({
  test: {
    maxWorkers: 2,
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
