import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { Alert } from "../../src/alert/alert.ts";
import { Alerting, timing } from "../support/alerting.ts";
import { TestAlertmanager } from "../support/alertmanager.ts";

const patience = { timeout: 60_000, interval: 100 };
const firing = "firing LogAnomaly f1 warning";
const resolved = "resolved LogAnomaly f1 warning";

let opened: { end(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.map((one) => one.end()));
  opened = [];
});

async function alertmanager(): Promise<TestAlertmanager> {
  const one = await TestAlertmanager.create();
  opened.push(one);
  return one;
}

function alerting(...settings: ConstructorParameters<typeof Alerting>): Alerting {
  const one = new Alerting(...settings);
  opened.push({ end: () => one.stop(false) });
  return one;
}

describe("an incident", () => {
  it("is told once, and its end once, through an outage and restarts of the alerter and Alertmanager", async () => {
    const am = await alertmanager();
    await am.start();
    const lg = alerting({ alertmanager: { urls: [am.url] } });
    await lg.start();
    const end = lg.keepPublishing({ fingerprint: "f1" });
    await expect.poll(() => am.told(), patience).toEqual([firing]);
    const [{ startsAt } = { startsAt: "" }] = await am.firing();

    await am.stop();
    await expect.poll(() => lg.waits(), patience).toEqual(["alertmanager-away"]);
    await sleep(2_000);
    await am.start();
    await expect
      .poll(async () => (await am.firing()).map((one) => one.startsAt), patience)
      .toEqual([startsAt]);
    await expect.poll(() => lg.waits(), patience).toEqual([]);

    await lg.stop();
    await lg.start();
    // Whoever restarts it without anything to tell has it forget: the alerter tells it again.
    await am.stop();
    await am.start();
    await expect
      .poll(async () => (await am.firing()).map((one) => one.startsAt), patience)
      .toEqual([startsAt]);
    await sleep(timing.holdMs);
    expect(am.told()).toEqual([firing]);

    await end();
    await expect.poll(() => am.told(), patience).toEqual([firing, resolved]);
    await lg.stop();
    await am.stop();
    await am.start();
    await lg.start();
    await sleep(3_000);
    expect(am.told()).toEqual([firing, resolved]);
    expect(await am.firing()).toEqual([]);
    await lg.stop();
  });

  it("that began and ended while Alertmanager was away, and the alerter with it, is told all the same", async () => {
    const am = await alertmanager();
    const lg = alerting({ alertmanager: { urls: [am.url] } }, { holdMs: 3_000 });
    await lg.start();
    await lg.publish({ fingerprint: "f1" });
    await expect.poll(() => lg.waits(), patience).toEqual(["alertmanager-away"]);
    await lg.stop(false);
    await sleep(4_000);
    await lg.start();
    await am.start();
    await expect.poll(() => am.told(), patience).toEqual([firing, resolved]);
    await lg.stop();
  });

  it("is told to every Alertmanager, also to one that was away, which holds up no other", async () => {
    const [here, away] = [await alertmanager(), await alertmanager()];
    await here.start();
    const lg = alerting({ alertmanager: { urls: [away.url, here.url] } }, { holdMs: 4_000 });
    await lg.start();
    await lg.publish({ fingerprint: "f1" });
    await expect.poll(() => here.told(), patience).toEqual([firing]);
    expect(lg.waits()).toEqual([]);
    expect(await lg.metric("alertmanagers_away")).toBe(1);
    await lg.publish({ fingerprint: "f2" });
    await expect.poll(() => here.told(), patience).toContain("firing LogAnomaly f2 warning");
    await expect.poll(() => here.told(), patience).toContain(resolved);
    await away.start();
    await expect
      .poll(() => away.told(), patience)
      .toEqual(
        expect.arrayContaining([
          firing,
          resolved,
          "firing LogAnomaly f2 warning",
          "resolved LogAnomaly f2 warning",
        ]),
      );
    await expect.poll(() => lg.metric("alertmanagers_away"), patience).toBe(0);
    expect(here.told().filter((one) => one === firing)).toEqual([firing]);
    await lg.stop();
  });

  it("waits for an Alertmanager that refuses, and is told to one in its order, however slow it is", async () => {
    const [tries, statuses] = [[] as Alert[][], [401, 404, 200]];
    let [open, most] = [0, 0];
    const slow = createServer(async (request, response) => {
      most = Math.max(most, ++open);
      tries.push((await json(request)) as Alert[]);
      await sleep(300);
      open--;
      response.writeHead(statuses.length > 1 ? (statuses.shift() ?? 200) : 200).end();
    });
    await once(slow.listen(0, "127.0.0.1"), "listening");
    opened.push({ end: async () => void slow.close() });
    const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    const am = await alertmanager();
    await am.start();
    const alone = alerting({ alertmanager: { urls: [url] } });
    await alone.start();
    await alone.publish({ fingerprint: "f1" });
    await expect.poll(() => alone.waits(), patience).toEqual(["alertmanager-away"]);
    await expect.poll(() => tries.length, patience).toBeGreaterThan(2);
    await expect.poll(() => alone.waits(), patience).toEqual([]);
    await alone.stop();

    tries.length = 0;
    const both = alerting({ alertmanager: { urls: [url, am.url] } });
    await both.start();
    const many = Array.from({ length: 8 }, (_, at) => `f${at}`);
    for (const fingerprint of many) {
      await both.publish({ fingerprint });
      await expect.poll(() => am.told(), patience).toContain(`firing LogAnomaly ${fingerprint} warning`);
    }
    const told = () => new Set(tries.flat().map(({ labels }) => labels.fingerprint));
    await expect.poll(() => many.every((one) => told().has(one)), patience).toBe(true);
    expect(most).toBe(1);
    await both.stop();
  });

  it("is not told that was found more than a day ago: whoever starts an alerter is not woken for last week", async () => {
    const am = await alertmanager();
    await am.start();
    const lg = alerting({ alertmanager: { urls: [am.url] } });
    await lg.start();
    await lg.publishAt(Date.now() - 25 * 3_600_000, { fingerprint: "f1" });
    await lg.publishAt(Date.now() - 3_600_000, { fingerprint: "f2" });
    await expect.poll(() => am.told(), patience).toEqual(["firing LogAnomaly f2 warning"]);
    await lg.stop();
  });

  it("is told once by several alerters, which come and go; a false alarm ends it whoever reads it", async () => {
    const am = await alertmanager();
    await am.start();
    const lg = alerting({ alertmanager: { urls: [am.url] } });
    await lg.start();
    const end = lg.keepPublishing({ fingerprint: "f1" }, { fingerprint: "f2" });
    const told = () => am.told().sort();
    const both = [firing, "firing LogAnomaly f2 warning"];
    await expect.poll(told, patience).toEqual(both);
    await lg.start();
    await sleep(2_000);
    await lg.stopFirst();
    await lg.start();
    await sleep(timing.holdMs);
    expect(told()).toEqual(both);
    const [one] = await lg.publish({ fingerprint: "f1" });
    if (one === undefined) throw new Error("It was published.");
    await lg.say(one, "false-alarm");
    await expect.poll(told, patience).toEqual([...both, resolved]);
    await sleep(timing.holdMs);
    expect(told()).toEqual([...both, resolved]);
    await end();
    await lg.stop();
  });

  it("that becomes more severe is another alert, told together with the end of the first; it does not become less so", async () => {
    const am = await alertmanager();
    await am.start();
    const lg = alerting({ alertmanager: { urls: [am.url] } });
    await lg.start();
    await lg.publish({ fingerprint: "f1", score: 0.9 });
    await expect.poll(() => am.told(), patience).toEqual([firing]);
    await lg.publish({ fingerprint: "f1", score: 0.97 });
    const risen = "firing LogAnomaly f1 critical, resolved LogAnomaly f1 warning";
    await expect.poll(() => am.told(), patience).toEqual([firing, risen]);
    await lg.publish({ fingerprint: "f1", score: 0.9 });
    await expect
      .poll(
        async () =>
          (await am.firing()).map(({ labels, annotations }) => [
            labels.severity,
            /\d+ windows?/.exec(annotations.since ?? "")?.[0],
          ]),
        patience,
      )
      .toEqual([["critical", "3 windows"]]);
    // The first one's end stands beside it where it was told again between two of Alertmanager's looks, for one that was
    // restarted meanwhile.
    const ended = expect.stringMatching(
      /^resolved LogAnomaly f1 critical(, resolved LogAnomaly f1 warning)?$/,
    );
    await expect.poll(() => am.told(), patience).toEqual([firing, risen, ended]);
    await lg.stop();
  });
});
