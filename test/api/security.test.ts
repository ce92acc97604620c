import { mkdtempSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Api, startEmbeddedApi } from "../support/api.ts";
import { runCli } from "../support/cli.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-security-"));
const tokenOf = (name: string) => `${name}-0123456789abcdef`;
const token = (name: string, scopes: string[], more = {}) => ({
  [name]: { token: tokenOf(name), scopes, ...more },
});

function configured(name: string, api: Record<string, unknown>): string[] {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, stringify({ api }));
  return ["--config", file];
}

const logs = [
  { message: "Receiving block blk_1 src: /10.0.0.1:4000 dest: /10.0.0.2:50010" },
  { message: "writeBlock blk_1 received exception java.io.IOException: Could not read from stream" },
];

describe("with tokens", () => {
  let api: Api;
  let id: string;
  beforeAll(async () => {
    const tokens = {
      ...token("reader", ["read"]),
      ...token("detector", ["detect"]),
      ...token("other", ["detect"]),
      ...token("judge", ["feedback"]),
      ...token("chief", ["admin"]),
      ...token("stranger", ["read", "feedback"], { pipelines: ["hdfs"] }),
    };
    const secret = join(folder, "token");
    writeFileSync(secret, `${tokenOf("from-file")}\n`);
    api = await startEmbeddedApi(
      { LOGGUARDIAN_API_TOKEN_FILE: secret, LOGGUARDIAN_API_TOKENS_OTHER_TOKEN: tokenOf("environment") },
      [
        ...configured("tokens", {
          tokens,
          corsOrigins: ["https://ui.example"],
          limits: { requestsPerMinute: 100 },
        }),
        "--host",
        "0.0.0.0",
      ],
    );
    const { body } = await api.ask("/detect", { body: { logs }, token: tokenOf("detector") });
    id = body.results[0].id;
  });
  afterAll(async () => {
    expect(await api.stop()).toBe(0);
    for (const name of ["reader", "chief", "from-file"]) expect(api.log()).not.toContain(tokenOf(name));
  });

  it("answers nobody without one, and says how to ask", async () => {
    for (const asked of [
      {},
      { token: "nobody-0123456789abcdef" },
      { headers: { authorization: "Basic Zm9vOmJhcg==" } },
    ]) {
      const { status, headers, body } = await api.ask("/anomalies", asked);
      expect(status).toBe(401);
      expect(headers.get("www-authenticate")).toContain("Bearer");
      expect(body).toMatchObject({ code: "LG_API_TOKEN", status: 401 });
    }
    expect((await api.ask("/health")).status).toBe(200);
    expect((await api.ask("/")).status).toBe(200);
    expect((await api.ask("/openapi.json")).status).toBe(200);
  });

  it("takes secrets from files and the environment", async () => {
    expect((await api.ask("/anomalies", { token: tokenOf("from-file") })).status).toBe(200);
    expect((await api.ask("/detect", { body: { logs }, token: tokenOf("environment") })).status).toBe(200);
    expect((await api.ask("/detect", { body: { logs }, token: tokenOf("other") })).status).toBe(401);
  });

  it.each([
    ["GET", "/anomalies", "read"],
    ["GET", "/anomalies/:id", "read"],
    ["GET", "/anomalies/stream", "read"],
    ["GET", "/patterns", "read"],
    ["GET", "/suppressions", "read"],
    ["GET", "/metrics", "read"],
    ["POST", "/detect", "detect"],
    ["POST", "/batch-detect", "detect"],
    ["POST", "/anomalies/:id/feedback", "feedback"],
  ])("%s %s asks for the scope %s", async (method, path, scope) => {
    const holders = { read: "reader", detect: "detector", feedback: "judge" };
    const body =
      method === "GET" ? undefined : path.endsWith("feedback") ? { judgement: "confirmed" } : { logs };
    const statusOf = async (name: string) => {
      const gone = new AbortController();
      const response = await fetch(`${api.url}${path.replace(":id", id)}`, {
        ...{ method, signal: gone.signal },
        headers: { authorization: `Bearer ${tokenOf(name)}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      gone.abort();
      return response.status;
    };
    for (const [own, name] of Object.entries(holders))
      expect([name, await statusOf(name)]).toEqual([
        name,
        own === scope ? expect.toSatisfy((n) => n < 300) : 403,
      ]);
    expect(await statusOf("chief")).toBeLessThan(300);
  });

  it("shows one that is limited to pipelines nothing of others", async () => {
    const asked = { token: tokenOf("stranger") };
    expect((await api.ask("/anomalies", { token: tokenOf("reader") })).body.anomalies).toHaveLength(1);
    expect((await api.ask("/anomalies", asked)).body.anomalies).toEqual([]);
    expect((await api.ask("/patterns", asked)).body.patterns).toEqual([]);
    expect((await api.ask("/anomalies?pipeline=hdfs", asked)).status).toBe(200);
    expect((await api.ask("/anomalies?pipeline=detect", asked)).status).toBe(403);
    expect((await api.ask("/anomalies/stream?pipeline=detect", asked)).status).toBe(403);
    expect((await api.ask(`/anomalies/${id}`, asked)).status).toBe(404);
    const body = { judgement: "false-alarm" };
    expect((await api.ask(`/anomalies/${id}/feedback`, { ...asked, body })).status).toBe(404);
    await api.ask(`/anomalies/${id}/feedback`, { token: tokenOf("judge"), body });
    expect((await api.ask("/suppressions", asked)).body.suppressions).toEqual([]);
    expect((await api.ask("/suppressions", { token: tokenOf("reader") })).body.suppressions).toMatchObject([
      { by: "judge" },
    ]);
  });

  it("shows a job to whoever sent it, and to an admin", async () => {
    const { body: job } = await api.ask("/batch-detect", { body: { logs }, token: tokenOf("detector") });
    const path = `/batch-detect/${job.id}`;
    expect((await api.ask(path, { token: tokenOf("environment") })).status).toBe(404);
    expect((await api.ask(path, { token: tokenOf("environment"), method: "DELETE" })).status).toBe(404);
    expect((await api.ask(path, { token: tokenOf("detector") })).status).toBe(200);
    expect((await api.ask(path, { token: tokenOf("chief") })).status).toBe(200);
  });

  it("lets pages of the configured origin ask, and no others", async () => {
    const preflight = (origin: string) =>
      api.ask("/anomalies", {
        method: "OPTIONS",
        headers: {
          origin,
          "access-control-request-method": "GET",
          "access-control-request-headers": "authorization",
        },
      });
    const allowed = await preflight("https://ui.example");
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://ui.example");
    expect((await preflight("https://evil.example")).headers.get("access-control-allow-origin")).toBeNull();
  });

  it("counts guesses at tokens by who makes them, and lets others ask on", async () => {
    let guesses = 0;
    const guess = async () =>
      (await api.ask("/anomalies", { token: `guess-${guesses++}-0123456789` })).status;
    await until(async () => (await guess()) === 429, "it is too often");
    expect(guesses).toBeGreaterThan(10);
    expect((await api.ask("/anomalies", { token: tokenOf("chief") })).status).toBe(200);
  });
});

describe("without a token", () => {
  let api: Api;
  beforeAll(async () => {
    const limits = { requestsPerMinute: 40, detections: 1, body: "1kB", lines: 3 };
    api = await startEmbeddedApi({}, configured("limits", { limits }));
  });
  afterAll(() => api.stop());

  const statusWith = (headers: Record<string, string>, path = "/anomalies") =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ host: "127.0.0.1", port: api.port, path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once("error", reject)
        .end();
    });

  it("answers only who calls it by this machine's name, and from no other site", async () => {
    expect(await statusWith({})).toBe(200);
    expect(await statusWith({ host: `localhost:${api.port}` })).toBe(200);
    expect(await statusWith({ host: `[::1]:${api.port}` })).toBe(200);
    const own = `http://127.0.0.1:${api.port}`;
    expect(await statusWith({ origin: own, "sec-fetch-site": "same-origin" })).toBe(200);
    expect(await statusWith({ host: "rebound.example" })).toBe(403);
    expect(await statusWith({ host: "localhost.evil.example" })).toBe(403);
    expect(await statusWith({ origin: "https://evil.example" })).toBe(403);
    expect(await statusWith({ origin: "http://localhost:1" })).toBe(403);
    expect(await statusWith({ origin: "null" })).toBe(403);
    expect(await statusWith({ "sec-fetch-site": "cross-site" })).toBe(403);
  });

  it("takes no more lines and bytes than it is told to", async () => {
    const body = { logs: Array.from({ length: 4 }, () => ({ message: "x" })) };
    const many = await api.ask("/detect", { body });
    expect(many).toMatchObject({ status: 400, body: { errors: [{ field: "logs" }] } });
    const large = await api.ask("/detect", { body: { logs: [{ message: "x".repeat(2000) }] } });
    expect(large).toMatchObject({ status: 413, body: { code: "LG_API_BODY_SIZE" } });
  });

  it("answers 429 and when to come again where its queue is full", async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, number) =>
        api.ask("/detect", { body: { logs: [{ message: `a new line ${number} of these` }] } }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body.code).toBe("LG_API_BUSY");
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect((await api.ask("/detect", { body: { logs: logs.slice(0, 1) } })).status).toBe(200);
  });

  it("answers 429 to who asks too often, but for its health and its page", async () => {
    let answer = await api.ask("/suppressions");
    await until(async () => {
      answer = await api.ask("/suppressions");
      return answer.status === 429;
    }, "it is too often");
    expect(answer.body).toMatchObject({ code: "LG_API_RATE", status: 429 });
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    for (const path of ["/health", "/", "/app.js"]) expect((await api.ask(path)).status, path).toBe(200);
  });
});

it("stops in time, though somebody's request never comes whole", async () => {
  const api = await startEmbeddedApi();
  const slow = request({ host: "127.0.0.1", port: api.port, path: "/detect", method: "POST" }).once(
    "error",
    () => undefined,
  );
  slow.setHeader("content-type", "application/json").setHeader("content-length", 100);
  slow.write("{");
  await until(async () => (await api.ask("/health")).status === 200, "it answers others");
  expect(await api.stop()).toBe(0);
});

describe("logguardian start api", () => {
  const fails = async (args: string[], env: Record<string, string> = {}) => {
    const { status, stderr } = await runCli(["start", "api", "--port", "0", ...args], "", env);
    return { status, stderr };
  };

  it("does not start where everybody could read the logs", async () => {
    expect(await fails(["--host", "0.0.0.0"])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /api\.host is 0\.0\.0\.0: without a token.*LOGGUARDIAN_API_TOKEN.*LG_API_OPEN/,
      ),
    });
    const off = { LOGGUARDIAN_API_ENABLE_AUTH: "false", LOGGUARDIAN_API_TOKEN: tokenOf("unused") };
    expect((await fails(["--host", "10.0.0.1"], off)).stderr).toContain("LG_API_OPEN");
    expect((await fails([], { LOGGUARDIAN_API_ENABLE_AUTH: "true" })).stderr).toContain("LG_API_NO_TOKEN");
  });

  it("refuses tokens that can be guessed, or that two have", async () => {
    expect((await fails([], { LOGGUARDIAN_API_TOKEN: "short" })).stderr).toMatch(
      /api\.token: must not have fewer/,
    );
    const twice = {
      tokens: { a: { token: tokenOf("x"), scopes: ["read"] }, b: { token: tokenOf("x"), scopes: ["admin"] } },
    };
    expect((await fails(configured("twice", twice))).stderr).toMatch(
      /api\.tokens\.b\.token: is the token of a/,
    );
  });

  it("says which options are not its own", async () => {
    const { status, stderr } = await runCli(["start", "detector", "--port", "1"]);
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining("role api") });
    expect((await fails(["--port", "many"])).status).toBe(2);
  });
});

it("shows the configuration without tokens", async () => {
  const [, file = ""] = configured("shown", { tokens: token("reader", ["read"]) });
  const text = stringify({
    api: { tokens: token("reader", ["read"]) },
    pipelines: { a: { topics: ["a"], format: "text", window: { kind: "session" } } },
  });
  writeFileSync(file, text);
  const { stdout } = await runCli(["config", "--print", "--config", file], "", {
    LOGGUARDIAN_API_TOKEN: tokenOf("all"),
  });
  expect(stdout).toContain("scopes");
  expect(stdout).not.toContain("0123456789abcdef");
});
