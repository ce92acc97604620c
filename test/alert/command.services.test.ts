import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { defaultBundleDir, loadManifest } from "../../src/model/bundle.ts";
import { Alerting } from "../support/alerting.ts";
import { TestAlertmanager } from "../support/alertmanager.ts";

const patience = { timeout: 60_000, interval: 100 };

let opened: { end(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.map((one) => one.end()));
  opened = [];
});

async function alertmanager(isStarted = true): Promise<TestAlertmanager> {
  const one = await TestAlertmanager.create();
  opened.push(one);
  if (isStarted) await one.start();
  return one;
}

function alerting(...settings: ConstructorParameters<typeof Alerting>): Alerting {
  const one = new Alerting(...settings);
  opened.push({ end: () => one.stop(false) });
  return one;
}

describe("logguardian alert test", () => {
  it("sends a sample to every Alertmanager, and says whom each will tell", async () => {
    const [first, second] = [await alertmanager(), await alertmanager()];
    const lg = alerting({
      alertmanager: { urls: [first.url, second.url] },
      alert: { labels: { team: "storage" } },
    });
    const said = await lg.stream.command(["alert", "test", "--severity", "critical"]);
    for (const am of [first, second]) {
      expect(said).toContain(`ok    ${am.url} took it, for hook; it ends by itself at `);
      await expect.poll(() => am.notifications.length, patience).toBe(1);
      expect(am.notifications[0]?.alerts[0]).toMatchObject({
        labels: { alertname: "LogAnomaly", pipeline: lg.pipeline, severity: "critical", team: "storage" },
        annotations: { summary: expect.stringMatching(/^Test of .*: nothing has happened\./) },
      });
    }
  });

  it("fails where one does not answer, and tells the others", async () => {
    const [here, away] = [await alertmanager(), await alertmanager(false)];
    const lg = alerting({ alertmanager: { urls: [away.url, here.url] } });
    const { answers } = JSON.parse(await lg.stream.command(["alert", "test", "--json"], [1]));
    expect(answers).toEqual([
      { url: away.url, taken: false, error: expect.stringContaining("ECONNREFUSED") },
      { url: here.url, taken: true, receivers: ["hook"] },
    ]);
    const nobody = alerting({ alertmanager: { urls: [] } });
    await expect(nobody.stream.command(["alert", "test"])).rejects.toThrow(/alertmanager.urls is empty/);
  });
});

describe("logguardian suppressions", () => {
  it("lists what is kept quiet, how often, and what was so", async () => {
    const am = await alertmanager();
    const lg = alerting({ alertmanager: { urls: [am.url] } });
    await lg.start();
    const { version } = await loadManifest(defaultBundleDir());
    const [first, second] = await lg.publish({ fingerprint: "f1", version }, { fingerprint: "f2" });
    if (first === undefined || second === undefined) throw new Error("They were published.");
    await expect.poll(() => am.firing(), patience).toHaveLength(2);
    await lg.say(first, "false-alarm", Date.now() + 3_600_000);
    await lg.say(second, "false-alarm");
    await expect.poll(() => lg.suppressions(), patience).toHaveLength(2);
    await lg.publish({ fingerprint: "f1", version });
    const rows = async (...args: string[]) =>
      (await lg.stream.command(["suppressions", ...args]))
        .split("\n")
        .filter((row) => row !== "")
        .map((row) => JSON.parse(row));
    await expect
      .poll(async () => (await lg.suppressions()).map(({ times }) => times).sort(), patience)
      .toEqual([0, 1]);
    const ofBundle = {
      ...{ pipeline: lg.pipeline, fingerprint: "f1", by: "a tester", verdict: first.event.id, windows: 1 },
      ...{ inForce: true, model: `starter ${version}` },
      until: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      lastSeen: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    };
    expect(await rows()).toEqual([expect.objectContaining(ofBundle)]);
    // A former bundle judged it.
    const former = { fingerprint: "f2", model: "starter 1.0.0", inForce: false, windows: 0 };
    expect(await rows("--all", "--pipeline", lg.pipeline)).toEqual([
      expect.objectContaining(former),
      expect.objectContaining(ofBundle),
    ]);
    await lg.stop();
  });
});

describe("the commands in an alert", () => {
  it("silence it", async () => {
    const am = await alertmanager();
    const lg = alerting({ alertmanager: { urls: [am.url] }, api: { publicUrl: "https://lg.example" } });
    await lg.start();
    const [anomaly] = await lg.publish({ fingerprint: "f1", host: "node-7" });
    await expect.poll(() => am.notifications.length, patience).toBe(1);
    const [told] = am.notifications[0]?.alerts ?? [];
    expect(told?.generatorURL).toBe(`https://lg.example/#/anomalies/${anomaly?.event.id}`);
    const silence = told?.annotations.next?.split("\n").find((row) => row.startsWith("Silence: "));
    execFileSync("bash", ["-c", silence?.slice("Silence: ".length) ?? "false"]);
    const states = async () => {
      const alerts = (await (await fetch(`${am.url}/api/v2/alerts`)).json()) as {
        status: { state: string };
      }[];
      return alerts.map(({ status }) => status.state);
    };
    await expect.poll(states, patience).toEqual(["suppressed"]);
    await lg.stop();
  });
});
