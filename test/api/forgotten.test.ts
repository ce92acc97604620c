import { afterEach, describe, expect, it } from "vitest";
import { anomalyAt, idOf } from "../support/anomalies.ts";
import { startPageServer } from "../support/page-server.ts";

type Server = Awaited<ReturnType<typeof startPageServer>>;

let api: Server | undefined;
afterEach(() => api?.stop());

const started = async (...args: Parameters<typeof startPageServer>) => {
  api = await startPageServer(...args);
  return api;
};
/** Of all suppressions. */
const statesOf = async ({ ask }: Server, token?: string) =>
  (await ask("/suppressions", token === undefined ? {} : { token })).body.suppressions.map(
    ({ anomaly_id: id, state }: { anomaly_id: string; state: string }) => [id, state],
  );
const forget = ({ index }: Server) => index.trim(Number.MAX_SAFE_INTEGER);

describe("feedback on an anomaly that is forgotten", () => {
  const path = `/anomalies/${idOf(1)}/feedback`;

  it("may be taken back, and not be changed: its lines, which are trained on, would be lost", async () => {
    const server = await started([anomalyAt(1)]);
    await server.ask(path, { body: { judgement: "false-alarm" } });
    await forget(server);
    expect((await server.ask(`/anomalies/${idOf(1)}`)).status).toBe(404);
    expect(await statesOf(server)).toEqual([[idOf(1), "active"]]);
    expect((await server.ask(path, { body: { judgement: "confirmed" } })).status).toBe(404);
    expect((await server.ask(path, { body: { judgement: "undone" } })).status).toBe(201);
    expect(await statesOf(server)).toEqual([]);
    const unknown = `/anomalies/${idOf(2)}/feedback`;
    expect((await server.ask(unknown, { body: { judgement: "undone" } })).status).toBe(404);
  });

  it("is taken back by nobody who may not see its pipeline", async () => {
    const [token, stranger] = ["judge-0123456789abcdef", "stranger-0123456789abcdef"];
    const scopes: ("read" | "feedback")[] = ["read", "feedback"];
    const tokens = {
      judge: { token, scopes, pipelines: ["hdfs"] },
      stranger: { token: stranger, scopes, pipelines: ["bgl"] },
    };
    const server = await started([anomalyAt(1)], { tokens });
    await server.ask(path, { body: { judgement: "false-alarm" }, token });
    await forget(server);
    const body = { judgement: "undone" };
    expect((await server.ask(path, { body, token: stranger })).body.code).toBe("LG_API_UNKNOWN");
    expect(await statesOf(server, token)).toHaveLength(1);
    expect((await server.ask(path, { body, token })).status).toBe(201);
    expect(await statesOf(server, token)).toEqual([]);
  });
});

it("a false alarm is in force as long as the bundle is configured, whatever is held of it; or judges still", async () => {
  const bundleOf = (version: string) => ({ name: "starter", version });
  const judged = (version: string) => anomalyAt(1, { model: bundleOf(version) });
  const sayIt = (server: Server) =>
    server.ask(`/anomalies/${idOf(1)}/feedback`, { body: { judgement: "false-alarm" } });
  // A restart with another bundle, which has found nothing yet.
  const rolledOut = await started([judged("1.0.0")], { bundles: new Map([["hdfs", bundleOf("2.0.0")]]) });
  await sayIt(rolledOut);
  expect(await statesOf(rolledOut)).toEqual([[idOf(1), "other-bundle"]]);
  expect((await rolledOut.ask(`/anomalies/${idOf(1)}`)).body.suppressed).toBe(false);
  expect((await rolledOut.ask("/patterns")).body.patterns[0].suppressed).toBe(false);
  // Detectors were restarted with another bundle, the API was not.
  await rolledOut.put([anomalyAt(2, { model: bundleOf("1.0.0") })], Date.now() + 1000);
  expect(await statesOf(rolledOut)).toEqual([[idOf(1), "active"]]);
  await rolledOut.stop();

  const same = await started([judged("1.0.0")], { bundles: new Map([["hdfs", bundleOf("1.0.0")]]) });
  await sayIt(same);
  await forget(same);
  expect(await statesOf(same)).toEqual([[idOf(1), "active"]]);
});

it("what is said later holds, also against what somebody said whose clock is ahead", async () => {
  const server = await started([anomalyAt(1)]);
  const said = { id: idOf(1), pipeline: "hdfs", fingerprint: "00000000000000aa", by: "me" };
  const at = Date.now() + 300_000;
  const model = { name: "starter", version: "1.1.0" };
  await server.index.say([{ ...said, judgement: "false-alarm", at, model }]);
  expect(await statesOf(server)).toEqual([[idOf(1), "active"]]);
  await server.ask(`/anomalies/${idOf(1)}/feedback`, { body: { judgement: "undone" } });
  expect((await server.ask(`/anomalies/${idOf(1)}`)).body.feedback).toBeNull();
  expect(await statesOf(server)).toEqual([]);
});
