import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { boundBodies } from "../../src/api/body-budget.ts";
import { createHttp } from "../../src/api/http.ts";
import { loadConfigOfApi } from "../../src/config/load.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { until } from "../support/until.ts";

/** More than a socket takes for somebody who reads nothing. */
const large = 64 * 2 ** 20;

it("an answer that nobody takes leaves no room for bodies, until it is taken or given up", async () => {
  const { config } = loadConfigOfApi(undefined, {});
  const server = createHttp({ config: config.api, logger: silentLogger, metrics: createMetrics() });
  boundBodies(server, large);
  server.post("/large", async (_, reply) =>
    reply.header("content-type", "application/json").send("x".repeat(large + 1)),
  );
  server.post("/small", { config: { scope: "read" } }, async () => ({}));
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  const post = (path: string) =>
    request({
      ...{ host: "127.0.0.1", port, path, method: "POST" },
      headers: { "content-type": "application/json" },
    }).on("error", () => undefined);
  const statusOf = (path: string) =>
    new Promise((resolve) =>
      post(path)
        .once("response", (response) => resolve(response.resume().statusCode))
        .end("{}"),
    );
  const reader = post("/large");
  // It is paused, as nobody listens for its data.
  const response = new Promise((resolve) => reader.once("response", resolve));
  reader.end("{}");
  await response;
  expect(await statusOf("/small")).toBe(429);
  reader.destroy();
  await until(async () => (await statusOf("/small")) === 200, "there is room again");
  expect(await statusOf("/large")).toBe(200);
  await until(async () => (await statusOf("/small")) === 200, "and once it was taken");
  await server.close();
});
