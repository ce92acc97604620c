import { expect, it } from "vitest";
import { addressOf, placeIn } from "../../../src/api/page/address.js";
import { commandsFor, offsetsOf, quoted } from "../../../src/api/page/commands.js";
import { strengthOf } from "../../../src/api/page/strength.js";
import { duration, noveltyInWords, sentence, signed, visible } from "../../../src/api/page/words.js";
import { visible as visibleInAlerts } from "../../../src/verdict/visible.ts";
import { anomalyAt } from "../../support/anomalies.ts";

it("makes visible at least what alerts make visible", () => {
  const all = Array.from({ length: 0x2100 }, (_, code) => String.fromCodePoint(code)).join("");
  for (const character of all)
    if (visibleInAlerts(character) !== character) expect(visible(character)).toBe(visibleInAlerts(character));
});

it.each([
  [0, "under 1 s"],
  [5000, "5 s"],
  [65_000, "1 min 5 s"],
  [3_600_000, "1 h"],
  [3_605_000, "1 h"],
  [90_061_000, "1 d 1 h"],
])("says %i ms as %s", (milliseconds, words) => {
  expect(duration(milliseconds)).toBe(words);
});

it("says weights with their sign, and never a negative nothing", () => {
  expect([1.26, -0.01, 0, -2].map(signed)).toEqual(["+1.3", "+0.0", "+0.0", "−2.0"]);
});

it("says what happened in a sentence, whatever the verdict", () => {
  const one = {
    ...{ lines: 1, origin: "node-1", verdict: "anomalous", stage: null },
    ...{ start: "2026-11-24T23:59:59.000Z", end: "2026-11-25T00:00:09.000Z" },
  };
  expect(sentence(one)).toBe(
    "1 line of node-1, from 2026-11-24 23:59:59 to 2026-11-25 00:00:09 UTC, is anomalous.",
  );
  expect(sentence({ ...one, lines: 2, stage: "raised" })).toContain("the window is still open");
  expect(sentence({ ...one, lines: 2, verdict: "undecided" })).toContain("could not be judged");
  expect(noveltyInWords(0)).toContain("known from training");
});

it("shows more where a score is farther above its threshold, and tells high ones apart", () => {
  const strengths = [null, 0.4, 0.5, 0.9, 0.97, 0.99, 1].map((score) =>
    strengthOf({ score, threshold: 0.5 }),
  );
  expect(strengths).toEqual([...strengths].sort((a, b) => a - b));
  expect(strengths.slice(0, 3)).toEqual([0, 0, 0]);
  expect((strengths[4] ?? 0) - (strengths[3] ?? 0)).toBeGreaterThan(0.2);
  expect(strengths.slice(5)).toEqual([1, 1]);
});

it("keeps a place and its filter in the address, and reads them again", () => {
  const place = {
    ...{ view: "anomaly" as const, name: "0a" },
    filter: { text: "a=b&c #/x", origin: "node 1:/é.log", from: "2026-11-24T00:00:00Z" },
  };
  expect(placeIn(addressOf(place))).toEqual(place);
  expect(placeIn("")).toEqual({ view: "anomalies", filter: {} });
  expect(placeIn("#/groups/%E0%A4%A?x=1&pipeline=")).toEqual({ view: "group", name: "%E0%A4%A", filter: {} });
});

it("gives commands that are complete, and safe to paste", () => {
  const document = anomalyAt(7);
  const line = (partition: number, offset: number) => ({ position: `raw:${partition}:${offset}:0` });
  document.logguardian.lines = [line(0, 7), line(1, 3), line(0, 5)] as typeof document.logguardian.lines;
  const anomaly = {
    ...{ id: document.event.id, pipeline: "it's", fingerprint: "ff", document },
  };
  const commands = commandsFor(anomaly, { url: "http://x/", hasToken: false }).map(({ command }) => command);
  expect(commands).toEqual([
    "logguardian replay --pipeline 'it'\\''s' --label again-00000000 --offsets raw:0:5-7,raw:1:3-3",
    `logguardian explain ${anomaly.id}`,
    `amtool silence add --duration=2h --comment='LogGuardian ${anomaly.id}' alertname=LogAnomaly pipeline='it'\\''s' fingerprint=ff`,
  ]);
  expect(offsetsOf([{ position: "detect-00:0:1:0" }])).toBeUndefined();
  expect(quoted("$(reboot)")).toBe("'$(reboot)'");
});
