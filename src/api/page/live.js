/**
 * What is found, as it comes. EventSource sends no token, so the stream is read from fetch(); a lost one is opened again
 * where it was.
 */

const longestWaitMs = 30_000;
/** The server says something every 15 s. */
const silentForMs = 40_000;

/**
 * @param {ReturnType<typeof import("./api.js").createApi>} api
 * @param {{ onAnomaly: (anomaly: any) => void, onReset: () => void, onState: (state: "live" | "lost") => void }} events
 */
export function listen(api, { onAnomaly, onReset, onState }) {
  let last = "";
  let waitMs = 500;

  async function read() {
    const gone = new AbortController();
    const response = await api.open("anomalies/stream", {
      signal: gone.signal,
      headers: last === "" ? {} : { "last-event-id": last },
    });
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const decoder = new TextDecoder();
    let text = "";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let silence;
    try {
      for (;;) {
        clearTimeout(silence);
        silence = setTimeout(() => gone.abort(), silentForMs);
        const { value, done } = await reader.read();
        if (done) return;
        onState("live");
        waitMs = 500;
        const parts = (text + decoder.decode(value, { stream: true })).split("\n\n");
        text = parts.pop() ?? "";
        for (const part of parts) take(part);
      }
    } finally {
      clearTimeout(silence);
      gone.abort();
    }
  }

  /** @param {string} part */
  function take(part) {
    const fields = new Map(
      part.split("\n").map((line) => /** @type {[string, string]} */ (line.split(/: (.*)/s))),
    );
    last = fields.get("id") ?? last;
    const event = fields.get("event");
    if (event === "reset") onReset();
    if (event === "anomaly") onAnomaly(JSON.parse(fields.get("data") ?? "{}"));
  }

  async function goOn() {
    for (;;) {
      await read().catch(() => undefined);
      onState("lost");
      await new Promise((again) => setTimeout(again, waitMs));
      waitMs = Math.min(longestWaitMs, waitMs * 2);
    }
  }
  void goOn();
}
