import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { freePorts } from "../../scripts/services.mjs";
import { temporaryFolder } from "../support/bundles.ts";
import { root } from "../support/data.ts";
import { services } from "../support/services.ts";

it("every step of docs/quickstart.md does what it says, one after the other", async () => {
  const page = readFileSync(join(root, "docs/quickstart.md"), "utf8");
  const folder = temporaryFolder();
  const [, yaml = ""] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? [];
  writeFileSync(join(folder, "logguardian.yaml"), yaml);
  const steps = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
  expect(steps).toHaveLength(5);
  const [port, httpPort] = await freePorts(2);
  const command = (name: string, line: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  command("npx", `shift; exec node '${join(root, "bin/logguardian.js")}' "$@"`);
  command("kcat", `exec node '${join(root, "test/support/produce-lines.ts")}' "$3" "$5"`);
  const script = ["set -euo pipefail", "trap 'kill %1 && wait' EXIT", ...steps].join("\n");
  const { status, stdout, stderr } = spawnSync(
    "bash",
    [
      "-c",
      script
        .replaceAll("localhost:8000", `localhost:${port}`)
        .replaceAll("localhost:9464", `localhost:${httpPort}`),
    ],
    {
      cwd: folder,
      encoding: "utf8",
      timeout: 240_000,
      env: {
        ...process.env,
        PATH: `${folder}:${process.env.PATH}`,
        LOGGUARDIAN_KAFKA_BROKERS: services.kafka.broker,
        LOGGUARDIAN_REDIS_URL: services.redis.url,
        LOGGUARDIAN_TOPICS_PREFIX: "quickstart",
        LOGGUARDIAN_API_PORT: String(port),
        LOGGUARDIAN_HTTP_PORT: String(httpPort),
      },
    },
  );
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  expect(stdout).toContain("The configuration is good: pipelines app.");
  expect(stdout).toContain("blk_");
  expect(stdout).toContain("keeps the verdict");
});
