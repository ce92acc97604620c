import { expect, it } from "vitest";
import type { Alert } from "../../src/alert/alert.ts";
import { type Alertmanager, createAlertmanager } from "../../src/alert/alertmanager.ts";
import { createTeller } from "../../src/alert/teller.ts";
import type { Tellable } from "../../src/alert/telling.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { until } from "../support/until.ts";

const holdMs = 60_000;

/** One that takes alerts, or is away, as it is told to. */
function alertmanagerAt(url: string) {
  const posts: string[][] = [];
  const state = { isAway: false };
  const gone = createAlertmanager({ url: "http://127.0.0.1:1" });
  const alertmanager: Alertmanager = {
    ...gone,
    url,
    async post(alerts: readonly Alert[]) {
      if (state.isAway) return gone.post(alerts);
      posts.push(alerts.map(({ labels }) => String(labels.fingerprint)));
    },
  };
  return { alertmanager, posts, state };
}

it("tells one that was away what there is by then, once, however much was told meanwhile", async () => {
  const [here, away] = [alertmanagerAt("here"), alertmanagerAt("away")];
  const tellable = (fingerprint: string): Tellable => ({
    name: fingerprint,
    labels: { alertname: "LogAnomaly", fingerprint },
    annotations: {},
    openedAt: Date.now(),
    endsAt: Date.now() + holdMs,
    isOver: false,
  });
  let current: Tellable[] = [];
  const told = new Map<string, number>();
  const health = createHealth();
  const teller = createTeller(
    {
      alertmanagers: [here.alertmanager, away.alertmanager],
      store: {
        toldAt: async (url, names) => names.map((name) => told.get(`${url} ${name}`)),
        setTold: async (url, names, at) => {
          for (const name of names) told.set(`${url} ${name}`, at);
        },
      },
      current: async () => current,
      onTold: () => {},
      logger: silentLogger,
      health,
    },
    { holdMs },
  );
  away.state.isAway = true;
  for (let number = 0; number < 100; number++) {
    current = [tellable(`f${number}`)];
    await teller.tell(current);
  }
  expect(here.posts).toHaveLength(100);
  await until(() => teller.away() === 1, "the other is known to be away");
  expect(health.state().waits).toEqual([]);
  away.state.isAway = false;
  await until(() => teller.away() === 0, "it is back");
  await teller.tell(current);
  await until(() => away.posts.length > 1, "it is told what came since");
  expect(away.posts.length).toBeLessThan(5);
  expect(new Set(away.posts.flat())).toEqual(new Set(["f99"]));
  teller.close();
});
