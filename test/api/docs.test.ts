import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Api, startEmbeddedApi } from "../support/api.ts";
import { root } from "../support/data.ts";

let api: Api;
beforeAll(async () => {
  api = await startEmbeddedApi();
});
afterAll(() => api.stop());

it("every block of docs/api.md does what it says", () => {
  const text = readFileSync(join(root, "docs/api.md"), "utf8");
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
  expect(blocks).toHaveLength(4);
  // Answers of 400 and above end it, and what it prints says which.
  const script = `set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n${blocks.join("echo\n")}`;
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["-c", script.replaceAll("localhost:8000", `localhost:${api.port}`)],
    {
      encoding: "utf8",
    },
  );
  expect({ status, stderr, stdout: status === 0 ? "" : stdout }).toEqual({
    status: 0,
    stderr: "",
    stdout: "",
  });
  for (const said of [
    '"status":"ok"',
    '"anomalous":true',
    '"state":"',
    '"next_cursor"',
    '"trend"',
    ": ready",
    '"weight"',
    '"suppressions":[{',
  ])
    expect(stdout).toContain(said);
});
