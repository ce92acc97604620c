import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Health } from "./health.ts";
import type { Metrics } from "./metrics.ts";

/**
 * `/metrics` for Prometheus, `/health` (alive, by progress) and `/ready` for orchestrators.
 * @throws LogGuardianError LG_HTTP_PORT where it cannot listen.
 */
export async function serveTelemetry(
  deps: { metrics: Metrics; health: Health },
  address: { host: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const path = (request.url ?? "/").split("?")[0];
    if (path === "/metrics") {
      try {
        const text = await deps.metrics.text();
        response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
        response.end(text);
      } catch (thrown) {
        response.statusCode = 500;
        response.end(`The metrics cannot be read: ${reasonOf(thrown)}\n`);
      }
      return;
    }
    const state = deps.health.state();
    const isGood = path === "/health" ? state.live : path === "/ready" ? state.ready : undefined;
    response.statusCode = isGood === undefined ? 404 : isGood ? 200 : 503;
    response.setHeader("content-type", "application/json");
    response.end(
      isGood === undefined
        ? '{"error":"There are /metrics, /health and /ready."}'
        : JSON.stringify({ status: isGood ? "ok" : "unavailable", ...state }),
    );
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", (thrown) =>
      failed(
        new LogGuardianError(
          "LG_HTTP_PORT",
          `${address.host}:${address.port} cannot be listened on: ${reasonOf(thrown)}.`,
          "Set http.port (LOGGUARDIAN_HTTP_PORT) to a free port; 0 chooses one.",
          thrown,
        ),
      ),
    );
    server.listen(address.port, address.host, listening);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
