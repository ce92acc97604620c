import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Alerting, timing } from "../support/alerting.ts";
import { TestAlertmanager } from "../support/alertmanager.ts";

const patience = { timeout: 60_000, interval: 100 };

let opened: { end(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.map((one) => one.end()));
  opened = [];
});

async function started(alert: object = {}, ofTest: ConstructorParameters<typeof Alerting>[1] = {}) {
  const am = await TestAlertmanager.create();
  opened.push(am);
  await am.start();
  const lg = new Alerting({ alertmanager: { urls: [am.url] }, alert }, ofTest);
  opened.push({ end: () => lg.stop(false) });
  await lg.start();
  return { am, lg };
}

const timesTold = (am: TestAlertmanager, what: string) =>
  am.told().filter((one) => one.split(", ").includes(what)).length;

describe("a storm", () => {
  it("is one alert for all beyond the most that a pipeline may have; what goes on at its end is told by itself", async () => {
    const { am, lg } = await started({ maxActive: 3 });
    const windowsOf = (...fingerprints: string[]) =>
      lg.publish(...fingerprints.map((fingerprint) => ({ fingerprint })));
    const shown = async () =>
      (await am.firing()).map(({ labels }) => labels.fingerprint ?? labels.alertname).sort();
    await windowsOf("f1", "f2", "f3");
    await expect.poll(shown, patience).toEqual(["f1", "f2", "f3"]);
    await windowsOf("f4", "f5", "f6", "f6");
    await expect.poll(shown, patience).toEqual(["LogAnomalyStorm", "f1", "f2", "f3"]);
    const storm = (await am.firing()).find(({ labels }) => labels.alertname === "LogAnomalyStorm");
    expect(storm?.labels).toEqual({
      alertname: "LogAnomalyStorm",
      pipeline: lg.pipeline,
      severity: "critical",
    });
    await expect
      .poll(
        async () =>
          (await am.firing()).find(({ labels }) => labels.alertname === "LogAnomalyStorm")?.annotations,
        patience,
      )
      .toMatchObject({
        summary: `Anomaly storm in ${lg.pipeline}: 6 kinds of anomaly at once`,
        held_back: expect.stringMatching(/^3 alerts of 6 held back/),
        loudest: expect.stringMatching(/^f6 {2}2 windows {2}Anomalous logs in .*\n(.*\n){3}.*$/),
      });
    await expect.poll(() => lg.metric("active_alerts", 'state="held-back"'), patience).toBe(3);

    const end = lg.keepPublishing({ fingerprint: "f6" });
    await expect.poll(shown, patience).toEqual(["f6"]);
    await end();
    await expect.poll(shown, patience).toEqual([]);
    await expect.poll(() => timesTold(am, "resolved LogAnomaly f6 warning"), patience).toBe(1);
    for (const state of ["firing", "resolved"]) {
      expect(timesTold(am, `${state} LogAnomalyStorm critical`)).toBe(1);
      expect(am.told().filter((one) => /f[45]/.test(one))).toEqual([]);
    }
    await lg.stop();
  });
});

describe("windows that cannot be judged", () => {
  it("are one alert with counts and reasons, no anomaly, which ends when there are no more", async () => {
    const { am, lg } = await started({ labels: { severity: "page", team: "storage" } });
    const undecided = (reason: string) => ({ verdict: "undecided" as const, reason });
    await lg.publish(
      undecided("LG_EMBED_FAILED"),
      undecided("LG_SCORER_CRASHED"),
      undecided("LG_EMBED_FAILED"),
    );
    const labels = {
      alertname: "LogGuardianUndecided",
      pipeline: lg.pipeline,
      severity: "warning",
      team: "storage",
    };
    await expect.poll(async () => (await am.firing()).map((one) => one.labels), patience).toEqual([labels]);
    await expect
      .poll(async () => (await am.firing())[0]?.annotations, patience)
      .toMatchObject({
        summary: expect.stringContaining("3 windows"),
        reasons: "LG_EMBED_FAILED: 2 windows\nLG_SCORER_CRASHED: 1 window",
      });
    await lg.publish(undecided("LG_EMBED_FAILED"));
    await expect
      .poll(() => am.told(), patience)
      .toEqual(["firing LogGuardianUndecided warning", "resolved LogGuardianUndecided warning"]);
    await lg.stop();
  });
});

describe("a false alarm", () => {
  const firing = "firing LogAnomaly f1 warning";
  const resolved = "resolved LogAnomaly f1 warning";

  it("ends its fingerprint's alert and keeps it quiet, until it is undone", async () => {
    const { am, lg } = await started({}, { holdMs: 60_000 });
    const [first] = await lg.publish({ fingerprint: "f1" }, { fingerprint: "f2" });
    if (first === undefined) throw new Error("It was published.");
    await expect.poll(() => am.told(), patience).toContain(firing);
    await lg.say(first, "false-alarm");
    await expect.poll(() => timesTold(am, resolved), patience).toBe(1);
    await lg.publish({ fingerprint: "f1" }, { fingerprint: "f1" });
    await expect.poll(async () => (await lg.suppressions())[0]?.times, patience).toBe(2);
    expect(await lg.suppressions()).toMatchObject([
      {
        fingerprint: "f1",
        id: first.event.id,
        by: "a tester",
        model: "starter 1.0.0",
        lastSeen: expect.any(Number),
      },
    ]);
    expect(await lg.metric("suppressed_windows_total")).toBe(2);
    expect((await am.firing()).map(({ labels }) => labels.fingerprint)).toEqual(["f2"]);

    // It was no false alarm, and it goes on still.
    await lg.say(first, "undone");
    await expect.poll(() => timesTold(am, firing), patience).toBe(2);
    expect(await lg.suppressions()).toEqual([]);
    expect(timesTold(am, "resolved LogAnomaly f2 warning")).toBe(0);
    await lg.stop();
  });

  it("holds through restarts and the loss of Redis, and not for another bundle or beyond its time", async () => {
    const { am, lg } = await started();
    const [first] = await lg.publish({ fingerprint: "f1" });
    if (first === undefined) throw new Error("It was published.");
    await expect.poll(() => am.told(), patience).toEqual([firing]);
    // What takes long to read stands before it.
    const foreign = structuredClone(first);
    foreign.logguardian.pipeline = "another";
    const line = { text: "x".repeat(400_000), masked: "x", time: "", position: "" };
    foreign.logguardian.lines = [line, line];
    for (let count = 0; count < 30; count++) await lg.say(foreign, "false-alarm");
    await lg.say(first, "false-alarm");
    await expect.poll(() => lg.suppressions(), patience).toHaveLength(1);
    const before = [firing, resolved];
    await expect.poll(() => am.told(), patience).toEqual(before);
    await lg.stop();
    await lg.loseRedis();
    await lg.publish({ fingerprint: "f1" });
    await lg.start();
    await expect.poll(async () => (await lg.suppressions())[0]?.times, patience).toBe(1);
    await lg.loseRedis();
    await expect.poll(() => lg.suppressions(), patience).toHaveLength(1);
    await lg.publish({ fingerprint: "f1" });
    await expect.poll(async () => (await lg.suppressions())[0]?.times, patience).toBe(1);
    expect(am.told()).toEqual(before);

    await lg.publish({ fingerprint: "f1", version: "1.0.1" });
    await expect.poll(() => am.firing(), patience).toHaveLength(1);
    const [other] = await lg.publish({ fingerprint: "f2" });
    if (other === undefined) throw new Error("It was published.");
    await lg.say(other, "false-alarm", Date.now() + 4_000);
    await expect
      .poll(async () => (await am.firing()).map(({ labels }) => labels.fingerprint), patience)
      .not.toContain("f2");
    await sleep(4_000);
    await lg.publish({ fingerprint: "f2" });
    await expect
      .poll(async () => (await am.firing()).map(({ labels }) => labels.fingerprint), patience)
      .toContain("f2");
    await lg.stop();
  });

  it("of a fingerprint that was confirmed later, or of another pipeline, keeps nothing quiet", async () => {
    const { am, lg } = await started();
    const [first, second] = await lg.publish({ fingerprint: "f1" }, { fingerprint: "f1" });
    if (first === undefined || second === undefined) throw new Error("They were published.");
    await lg.say(first, "false-alarm");
    await expect.poll(() => lg.suppressions(), patience).toHaveLength(1);
    await lg.say(second, "confirmed");
    await expect.poll(() => lg.suppressions(), patience).toEqual([]);
    // What was said before holds again.
    await lg.say(second, "undone");
    await expect.poll(() => lg.suppressions(), patience).toHaveLength(1);
    const foreign = structuredClone(first);
    foreign.logguardian.pipeline = "another";
    foreign.logguardian.fingerprint = "f3";
    await lg.say(foreign, "false-alarm");
    await lg.publish({ fingerprint: "f3" });
    await expect
      .poll(async () => (await am.firing()).map(({ labels }) => labels.fingerprint), patience)
      .toEqual(["f3"]);
    await sleep(timing.resendEveryMs);
    expect((await lg.suppressions()).map(({ fingerprint }) => fingerprint)).toEqual(["f1"]);
    await lg.stop();
  });
});
