import type { ApiServer } from "./api-server.ts";
import { refusal } from "./problem.ts";

/** What is being answered when the server closes may take this long to end. */
const patienceMs = 10_000;
/** Who is told that it does not has so long to hear of it. */
const answeredWithinMs = 2_000;

export interface Closing {
  /** Of what goes on for as long as its caller listens. */
  atOnce: AbortSignal;
  /** Of what would end by itself. Its reason is an answer. */
  late: AbortSignal;
}

export function createClosing(server: ApiServer): Closing {
  const [atOnce, late] = [new AbortController(), new AbortController()];
  server.addHook("preClose", async () => {
    atOnce.abort();
    const reason = refusal("LG_API_AWAY", "LogGuardian stops.", "Try again.", { retryAfterSeconds: 10 });
    setTimeout(() => late.abort(reason), patienceMs).unref();
    // A request that never comes whole would hold up the end as long as it likes.
    setTimeout(() => server.server.closeAllConnections(), patienceMs + answeredWithinMs).unref();
  });
  // A connection that stayed open for more requests would hold up the end.
  server.addHook("onSend", async (_, reply, payload) => {
    if (atOnce.signal.aborted) reply.header("connection", "close");
    return payload;
  });
  return { atOnce: atOnce.signal, late: late.signal };
}
