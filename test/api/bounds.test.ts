import { mkdtempSync, writeFileSync } from "node:fs";
import { type ClientRequest, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Api, startEmbeddedApi } from "../support/api.ts";
import { until } from "../support/until.ts";

let api: Api;
beforeAll(async () => {
  const file = join(mkdtempSync(join(tmpdir(), "logguardian-bounds-")), "logguardian.yaml");
  const limits = { body: "1kB", batchBody: "2kB", requestsPerMinute: 100_000 };
  writeFileSync(file, stringify({ api: { limits, jobs: { retention: "4s" } } }));
  api = await startEmbeddedApi({}, ["--config", file]);
});
afterAll(() => api.stop());

const logs = [{ message: "PacketResponder 1 for block blk_1 terminating" }];

/** A body of which only the first byte comes. */
function slow(path: string, headers: Record<string, string | number>): ClientRequest {
  const one = request({ host: "127.0.0.1", port: api.port, path, method: "POST" }).once(
    "error",
    () => undefined,
  );
  for (const [name, value] of Object.entries({ "content-type": "application/json", ...headers }))
    one.setHeader(name, value);
  one.write("{");
  return one;
}

describe("bodies", () => {
  it("are taken in only while there is room for them, whether or not they say how large they are", async () => {
    const sendOne = async () => (await api.ask("/batch-detect", { body: { logs } })).status;
    expect(await sendOne()).toBe(202);
    const sending = [
      ...[1, 2].map(() => slow("/batch-detect", { "content-length": 2048 })),
      slow("/batch-detect", { "transfer-encoding": "chunked" }),
      slow("/detect", { "content-length": 1020 }),
      slow("/detect", { "transfer-encoding": "chunked" }),
    ];
    await until(async () => (await sendOne()) === 429, "there is no room for one more");
    const { headers, body } = await api.ask("/detect", { body: { logs } });
    expect(body.code).toBe("LG_API_BUSY");
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    // Of what is not taken in nothing is read.
    expect((await api.ask("/detect", { body: { logs: "x".repeat(5000) } })).status).toBe(413);
    expect((await api.ask("/health")).status).toBe(200);
    for (const one of sending) one.destroy();
    await until(async () => (await sendOne()) === 202, "there is room again");
  });

  it("are not waited for where there is nothing that would take them", async () => {
    const one = slow("/nothing", { "content-length": 100 });
    const status = await new Promise((resolve) =>
      one.once("response", ({ statusCode }) => resolve(statusCode)),
    );
    expect(status).toBe(404);
    one.destroy();
  });
});

it("jobs that ended are forgotten also while there is work", async () => {
  const { body: first } = await api.ask("/batch-detect", { body: { logs } });
  const stateOf = async (id: string) => (await api.ask(`/batch-detect/${id}`)).body.state;
  await until(async () => (await stateOf(first.id)) === "done", "it is done");
  // There is always one more.
  let sent = 0;
  const more = async () => {
    await api.ask("/batch-detect", { body: { logs: [{ message: `line ${sent++} of many` }] } });
    return (await api.ask(`/batch-detect/${first.id}`)).status === 404;
  };
  await until(more, "it is forgotten");
});
