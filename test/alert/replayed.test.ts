import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createReplayedAlerts } from "../../src/alert/replayed.ts";
import { anomalyFor } from "../support/anomalies.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: 0 }));
afterEach(() => void vi.useRealTimers());

const holdMs = 300_000;
const iso = (at: number) => new Date(at).toISOString();

function replayedAlerts(maxActive: number) {
  const content = { labels: {}, lines: "masked" as const, criticalFrom: 0.95 };
  const alerts = createReplayedAlerts({ ...content, pipeline: "app", replay: "r", holdMs, maxActive });
  return {
    add(id: string, fingerprint: string, score: number, at: number) {
      vi.setSystemTime(at);
      alerts.add(anomalyFor({ id, pipeline: "app", fingerprint, score }));
    },
    toldAt(at: number) {
      vi.setSystemTime(at);
      return alerts.all();
    },
  };
}

it("alerts of a replay go on for the hold after each try to tell them, however long ago their windows were judged", () => {
  const replayed = replayedAlerts(2);
  replayed.add("1", "f1", 0.9, 1_000);
  replayed.add("2", "f1", 0.9, 2_000);
  replayed.add("3", "f2", 0.9, 3_000);
  replayed.add("4", "f3", 0.9, 4_000);
  for (const at of [2 * holdMs, 5 * holdMs])
    expect(
      replayed
        .toldAt(at)
        .map(({ labels, startsAt, endsAt }) => [labels.fingerprint ?? labels.alertname, startsAt, endsAt]),
    ).toEqual([
      ["f1", iso(1_000), iso(at + holdMs)],
      ["f2", iso(3_000), iso(at + holdMs)],
      ["LogAnomalyStorm", iso(4_000), iso(at + holdMs)],
    ]);
});

it("an alert of a replay is as severe as its most severe window, and speaks of the newest", () => {
  const replayed = replayedAlerts(2);
  replayed.add("1", "f1", 0.9, 1);
  replayed.add("2", "f1", 0.97, 2);
  replayed.add("3", "f1", 0.9, 3);
  expect(replayed.toldAt(4)).toMatchObject([
    { labels: { severity: "critical" }, annotations: { verdict_id: "3" } },
  ]);
});
