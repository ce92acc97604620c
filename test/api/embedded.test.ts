import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { detect } from "../../src/pipeline/detect-logs.ts";
import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import { type Api, startEmbeddedApi } from "../support/api.ts";
import { root } from "../support/data.ts";
import { until } from "../support/until.ts";

let api: Api;
beforeAll(async () => {
  // One that waits for something asks more often than a person.
  api = await startEmbeddedApi({ LOGGUARDIAN_API_LIMITS_REQUESTS_PER_MINUTE: "100000" });
});
afterAll(async () => {
  // Who listens does not hold it up; who was promised an answer gets it.
  const events = await listen(api);
  const asked = api.ask("/detect", { body: { logs: logsOf(hdfs()), window_size: 50, stride: 5 } });
  await until(
    async () => /^logguardian_detections 1$/m.test((await api.ask("/metrics")).body),
    "it is being answered",
  );
  const ended = api.stop();
  expect((await asked).status).toBe(200);
  expect(await ended).toBe(0);
  await events.close();
});

const faulty = [
  "Receiving block blk_1 src: /10.0.0.1:4000 dest: /10.0.0.2:50010",
  "writeBlock blk_1 received exception java.io.IOException: Could not read from stream",
];
const logsOf = (lines: readonly string[], source?: string) =>
  lines.map((message) => ({ message, ...(source === undefined ? {} : { source }) }));
const hdfs = () =>
  [...simulateHdfs({ rate: 300, faultRate: 0.2, seed: 2, lines: 300, start: 1e12 }).lines]
    .map(({ text }) => text)
    .slice(0, 300);

describe("the API without any configuration", () => {
  it("says how it is", async () => {
    const { status, body } = await api.ask("/health");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ status: "ok", live: true, ready: true, waits: [] },
      model: { name: "starter", version: expect.any(String), max_lines: 128 },
      version: expect.any(String),
    });
  });

  it("judges lines as the library does, and names each window's first and last line and where they were written", async () => {
    const lines = [...faulty, ...faulty.map((line) => line.replace("blk_1", "blk_2")), faulty[0] ?? ""];
    const logs = lines.map((message, place) => ({
      ...{ message, source: `node-${place}` },
      timestamp: place === 0 ? "2026-11-24T03:00:00+01:00" : 1_795_485_600_000 + place,
    }));
    const { status, body } = await api.ask("/detect", { body: { logs, window_size: 2, stride: 1 } });
    expect(status).toBe(200);
    const found = await detect(lines, { windowSize: 2, stride: 1 });
    expect(body.results).toHaveLength(4);
    for (const [place, result] of body.results.entries()) {
      const { window, verdict, score, threshold, weights, novelty } = found[place] ?? {};
      expect(result).toMatchObject({ verdict, score, threshold, lines: 2 });
      expect(result.weights).toEqual(weights);
      expect(result.novelty).toBe(novelty);
      expect(result.first_line).toEqual({ index: window?.first, ...logs[window?.first ?? -1] });
      expect(result.last_line).toEqual({ index: window?.last, ...logs[window?.last ?? -1] });
      expect(result.margin).toBeUndefined();
    }
    expect(body.results.some(({ anomalous }: { anomalous: boolean }) => anomalous)).toBe(true);
    expect(body.inference_time).toBeGreaterThan(0);
    expect(body.processing_time).toBeGreaterThanOrEqual(body.inference_time);
  });

  it("takes 100 lines a window where nothing is said, and adds the raw output where it is asked for", async () => {
    const logs = logsOf(Array.from({ length: 101 }, (_, place) => `line ${place}`));
    const { body } = await api.ask("/detect", { body: { logs, raw_output: true } });
    expect(body.results.map(({ lines }: { lines: number }) => lines)).toEqual([100, 1]);
    const [{ margin, logits, answer }] = body.results;
    expect(margin).toBeCloseTo(logits.anomalous - logits.normal, 5);
    expect(answer).toMatch(/^(normal|anomalous)/);
  });

  it("refuses what is not as it should be, and names every field", async () => {
    const { status, body, headers } = await api.ask("/detect", {
      body: { logs: [{ message: 1 }, { mesage: "x" }], window_size: 0, batch_size: 1000, more: 1 },
    });
    expect(status).toBe(400);
    expect(headers.get("content-type")).toContain("application/problem+json");
    expect(body).toMatchObject({
      type: "urn:logguardian:error:LG_API_INVALID",
      status: 400,
      title: "Bad Request",
    });
    expect(body.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
      ...["batch_size", "logs.0.message", "logs.1.mesage", "logs.1.message", "more", "window_size"],
    ]);
  });

  it.each([
    ["/detect", { logs: logsOf(["x"]), window_size: 5, stride: 6 }, 422, "stride"],
    ["/detect", { logs: logsOf(["x"]), window_size: 129 }, 422, "window_size"],
    ["/detect", { logs: [] }, 400, "logs"],
    ["/detect", { logs: [{ message: "x", timestamp: "yesterday" }] }, 400, "logs.0.timestamp"],
    ["/detect", { logs: [{ message: "x", source: "" }] }, 400, "logs.0.source"],
    ["/detect", {}, 400, "logs"],
    ["/batch-detect", { logs: [{}] }, 400, "logs.0.message"],
    ["/anomalies?limit=0", undefined, 400, "limit"],
    ["/anomalies?from=2026-11-24T02:00:00Z&to=2026-11-24T01:00:00Z", undefined, 422, "to"],
    ["/anomalies?cursor=x", undefined, 400, "cursor"],
    ["/anomalies?feedback=maybe", undefined, 400, "feedback"],
    ["/anomalies/x", undefined, 400, "id"],
    ["/patterns?buckets=many", undefined, 400, "buckets"],
    ["/batch-detect/1", undefined, 400, "id"],
    [`/batch-detect/${"0".repeat(32)}?limit=0`, undefined, 400, "limit"],
  ])("%s %j is answered by %i, for its %s", async (path, body, status, field) => {
    const answer = await api.ask(path, body === undefined ? {} : { body });
    expect(answer.status).toBe(status);
    expect(answer.body.errors[0].field).toBe(field);
    expect(answer.body.detail).toContain(field);
  });

  it.each([
    ["POST", "/detect", "{", "application/json", 400],
    ["POST", "/detect", "", "application/json", 400],
    ["POST", "/detect", "logs", "text/plain", 415],
    ["PUT", "/detect", "{}", "application/json", 405],
    ["DELETE", "/health", undefined, "application/json", 405],
    ["GET", "/nothing", undefined, "", 404],
    ["GET", `/anomalies/${"0".repeat(32)}`, undefined, "", 404],
    ["GET", `/batch-detect/${"0".repeat(32)}`, undefined, "", 404],
    ["GET", "/..%2f..%2fpackage.json", undefined, "", 404],
    ["GET", "/%zz", undefined, "", 400],
    ["GET", `/anomalies/${"0".repeat(200)}`, undefined, "", 400],
    ["HEAD", "/anomalies/stream", undefined, "", 405],
    ["POST", "/detect", '{"logs": [{"message": "x"}], "__proto__": {"y": 1}}', "application/json", 400],
  ])("%s %s is answered in problem details", async (method, path, body, type, status) => {
    const response = await fetch(`${api.url}${path}`, {
      method,
      headers: type === "" ? {} : { "content-type": type },
      ...(body === undefined ? {} : { body }),
    });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    if (method === "HEAD") return;
    expect(response.headers.get("x-request-id")).toBeTruthy();
    const problem = await response.json();
    expect(problem).toMatchObject({ status, code: expect.stringMatching(/^LG_API_/) });
    expect(JSON.stringify(problem)).not.toMatch(/node_modules|\.ts:\d|\\n +at /);
    if (status === 405) expect(response.headers.get("allow")).toBeTruthy();
  });

  it.each([
    ["what is no HTTP", "NONSENSE\r\n\r\n", 400, "LG_API_INVALID"],
    [
      "a head that is too large",
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(32_000)}\r\n\r\n`,
      431,
      "LG_API_HEADERS",
    ],
  ])("%s is answered in problem details", async (_, sent, status, code) => {
    const socket = connect(api.port, "127.0.0.1").setEncoding("utf8");
    let answer = "";
    socket.on("data", (text) => {
      answer += text;
    });
    socket.write(sent);
    await once(socket, "close");
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*x-request-id: [0-9a-f-]{36}`, "s"));
    expect(head).toContain("application/problem+json");
    expect(JSON.parse(body)).toMatchObject({ status, code });
  });

  it("indexes what it found anomalous, once however often it is sent, and takes feedback on it", async () => {
    const before = (await api.ask("/anomalies")).body.anomalies.length;
    const logs = logsOf(faulty, "node-feedback");
    for (let time = 0; time < 2; time++) await api.ask("/detect", { body: { logs } });
    const { body: page } = await api.ask("/anomalies?origin=node-feedback");
    expect(page).toMatchObject({
      next_cursor: null,
      anomalies: [{ pipeline: "detect", lines: 2, feedback: null }],
    });
    expect((await api.ask("/anomalies")).body.anomalies).toHaveLength(before + 1);
    const [{ id, fingerprint }] = page.anomalies;
    expect((await api.ask("/detect", { body: { logs } })).body.results[0].id).toBe(id);
    // Equal logs in other windows are others.
    const alone = await api.ask("/detect", { body: { logs, window_size: 1 } });
    expect(alone.body.results[0].id).not.toBe(id);

    const { body: detail } = await api.ask(`/anomalies/${id}`);
    expect(detail.suppressed).toBe(false);
    expect(detail.document.logguardian.lines.map(({ text }: { text: string }) => text)).toEqual(faulty);

    const until = "2099-01-01T00:00:00.000Z";
    const said = await api.ask(`/anomalies/${id}/feedback`, {
      body: { judgement: "false-alarm", note: "planned", until },
    });
    expect(said.status).toBe(201);
    expect(said.body.feedback).toMatchObject({
      judgement: "false-alarm",
      by: "local",
      note: "planned",
      until,
    });
    expect((await api.ask(`/anomalies/${id}`)).body).toMatchObject({
      suppressed: true,
      feedback: said.body.feedback,
    });
    expect((await api.ask("/anomalies?feedback=false-alarm")).body.anomalies).toHaveLength(1);
    const { body: suppressions } = await api.ask("/suppressions");
    expect(suppressions.suppressions).toMatchObject([
      { anomaly_id: id, fingerprint, state: "active", until, by: "local", windows: 0 },
    ]);

    await api.ask(`/anomalies/${id}/feedback`, { body: { judgement: "undone" } });
    expect((await api.ask(`/anomalies/${id}`)).body).toMatchObject({ suppressed: false, feedback: null });
    expect((await api.ask("/suppressions")).body.suppressions).toEqual([]);
    for (const body of [
      { judgement: "confirmed", until },
      { judgement: "false-alarm", until: "2020-01-01T00:00:00Z" },
    ])
      expect((await api.ask(`/anomalies/${id}/feedback`, { body })).status).toBe(422);
  });

  it("groups what it found by fingerprint", async () => {
    for (const source of ["a", "b"])
      await api.ask("/detect", { body: { logs: logsOf(faulty, `group-${source}`) } });
    const { body } = await api.ask("/patterns?buckets=4");
    const [pattern] = body.patterns;
    expect(pattern).toMatchObject({
      pipeline: "detect",
      suppressed: false,
      newest: { fingerprint: pattern.fingerprint },
    });
    expect(pattern.windows).toBeGreaterThanOrEqual(2);
    expect(pattern.origins).toBeGreaterThanOrEqual(2);
    expect(pattern.trend).toHaveLength(4);
    expect(pattern.trend.reduce((sum: number, part: number) => sum + part, 0)).toBe(pattern.windows);
    expect(pattern.first_seen <= pattern.last_seen).toBe(true);
    const { body: one } = await api.ask(`/patterns?buckets=4&fingerprint=${pattern.fingerprint}`);
    expect(one.patterns).toEqual([{ ...pattern, trend: one.patterns[0].trend }]);
    expect((await api.ask("/patterns?fingerprint=another")).body.patterns).toEqual([]);
  });

  it("works on jobs in the background, with the results of the same request at once", async () => {
    const logs = logsOf(hdfs());
    const request = { logs, window_size: 20, stride: 10 };
    const queued = await api.ask("/batch-detect", { body: request });
    expect(queued.status).toBe(202);
    expect(queued.headers.get("location")).toBe(`/batch-detect/${queued.body.id}`);
    expect(queued.body).toMatchObject({ state: "queued", lines: 300, windows: { done: 0, total: 29 } });
    const job = () => api.ask(`/batch-detect/${queued.body.id}`);
    await until(async () => (await job()).body.state === "done", "the job is done", 120_000);
    const { body } = await job();
    expect(body.windows).toEqual({ done: 29, total: 29 });
    expect(body.results).toEqual((await api.ask("/detect", { body: request })).body.results);
    expect(body.inference_time).toBeGreaterThan(0);
    expect(body.next_from).toBeNull();
    const pages = [];
    for (let from: number | null = 0; from !== null; from = pages.at(-1).next_from)
      pages.push((await api.ask(`/batch-detect/${body.id}?limit=10&from=${from}`)).body);
    expect(pages.map(({ next_from }) => next_from)).toEqual([10, 20, null]);
    expect(pages.flatMap(({ results }) => results)).toEqual(body.results);

    expect((await api.ask(`/batch-detect/${body.id}`, { method: "DELETE" })).status).toBe(204);
    expect((await job()).status).toBe(404);
  });

  it("shows what Prometheus asks for", async () => {
    await api.ask("/detect", { body: { logs: logsOf(faulty) } });
    const { body, headers } = await api.ask("/metrics");
    expect(headers.get("content-type")).toMatch(/^text\/plain/);
    expect(body).toMatch(/^logguardian_requests_total\{method="POST",route="\/detect",status="200"\} [1-9]/m);
    expect(body).toMatch(
      /^logguardian_request_duration_seconds_count\{method="POST",route="\/detect"\} [1-9]/m,
    );
    expect(body).toMatch(/^logguardian_anomalies_detected_total\{pipeline="detect"\} [1-9]/m);
    expect(body).toMatch(/^logguardian_model_inference_seconds_count\{pipeline="detect"\} [1-9]/m);
    expect(body).toMatch(/^logguardian_feedback_total\{pipeline="detect",judgement="false-alarm"\} 1/m);
  });

  it("suppresses by what was said last of a fingerprint, of whichever verdict", async () => {
    const ids: string[] = [];
    for (const source of ["said-first", "said-last"]) {
      await api.ask("/detect", { body: { logs: logsOf(faulty, source) } });
      ids.push((await api.ask(`/anomalies?origin=${source}`)).body.anomalies[0].id);
    }
    const [first = "", last = ""] = ids;
    const say = async (id: string, judgement: string) => {
      await api.ask(`/anomalies/${id}/feedback`, { body: { judgement } });
      // What is said in one millisecond has no order.
      await sleep(5);
      return (await api.ask(`/anomalies/${first}`)).body.suppressed;
    };
    expect(await say(first, "false-alarm")).toBe(true);
    expect(await say(last, "confirmed")).toBe(false);
    expect((await api.ask("/suppressions")).body.suppressions).toEqual([]);
    expect(await say(last, "undone")).toBe(true);
    expect(await say(first, "undone")).toBe(false);
  });

  it("serves its page under a policy that lets it run nothing of others", async () => {
    const { status, headers, body } = await api.ask("/");
    expect(status).toBe(200);
    expect(body).toContain("<title>LogGuardian</title>");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });

  it("describes itself as docs/openapi.json does (npm run openapi writes it anew)", async () => {
    const { body } = await api.ask("/openapi.json");
    expect(body).toEqual(JSON.parse(readFileSync(join(root, "docs/openapi.json"), "utf8")));
    expect(body.openapi).toBe("3.1.0");
  });

  it("answers under the caller's request id, or one of its own", async () => {
    const { headers } = await api.ask("/health", { headers: { "x-request-id": "mine-1" } });
    expect(headers.get("x-request-id")).toBe("mine-1");
    const other = await api.ask("/health", { headers: { "x-request-id": "not a name" } });
    expect(other.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("streams what it finds, and what is said of it, from where a listener was", async () => {
    const events = await listen(api);
    await api.ask("/detect", { body: { logs: logsOf(faulty, "streamed") } });
    await until(() => events.all().length >= 1, "an event comes");
    const { id, data } = events.all()[0] ?? { id: "", data: {} };
    expect(data.origin).toBe("streamed");
    events.close();
    await api.ask(`/anomalies/${data.id}/feedback`, { body: { judgement: "confirmed" } });

    const later = await listen(api, { "last-event-id": id });
    await until(() => later.all().length >= 1, "what was missed comes");
    expect(later.all()).toMatchObject([
      { event: "anomaly", data: { id: data.id, feedback: { judgement: "confirmed" } } },
    ]);
    later.close();
    const lost = await listen(api, { "last-event-id": "another.5" });
    await until(() => lost.all().length >= 1, "it is told to list anew");
    expect(lost.all()[0]?.event).toBe("reset");
    lost.close();
  });
});

/** Reads server-sent events as a browser does. */
async function listen(one: Api, headers: Record<string, string> = {}) {
  const gone = new AbortController();
  const response = await fetch(`${one.url}/anomalies/stream`, { headers, signal: gone.signal });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  let text = "";
  const reading = (async () => {
    for await (const part of response.body ?? []) text += Buffer.from(part).toString();
  })().catch(() => undefined);
  await until(() => text.includes("\n\n"), "the stream begins");
  return {
    all: () =>
      text
        .split("\n\n")
        .filter((part) => part.startsWith("event: "))
        .map((part) => {
          const [, event = "", id = "", data = ""] = /^event: (.*)\nid: (.*)\ndata: (.*)$/.exec(part) ?? [];
          return { event, id, data: JSON.parse(data) };
        }),
    close() {
      gone.abort();
      return reading;
    },
  };
}
