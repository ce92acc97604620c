import { describe, expect, it } from "vitest";
import { type ContentOptions, contentOf, identityOf, rankOf } from "../../src/alert/content.ts";
import { parseOffsets } from "../../src/cli/arguments.ts";
import { anomalyFor } from "../support/anomalies.ts";

const options: ContentOptions = { labels: {}, lines: "masked", criticalFrom: 0.95 };
const lines = [
  { text: "user eve logged in", masked: "user <*> logged in", weight: 0.4, novelty: 0 },
  { text: "disk 7 failed\u001b[31m", masked: "disk <*> failed", weight: 2.14, novelty: 0.62 },
  { text: "disk 8 failed", masked: "disk <*> failed", weight: 2.14, novelty: 0.62 },
  { text: "all is well", masked: "all is well", weight: -1, novelty: 0 },
];
const anomaly = anomalyFor({
  id: "0a1b",
  pipeline: "app",
  fingerprint: "f1",
  host: "node-7",
  novelty: 0.62,
  lines,
});

describe("an alert", () => {
  it("has few labels, none of them a window key, and of the host only where it is told to", () => {
    const few = { alertname: "LogAnomaly", severity: "warning", pipeline: "app", fingerprint: "f1" };
    expect(contentOf(anomaly, options).labels).toEqual(few);
    const withHost = { ...options, originLabel: "instance", labels: { team: "storage" } };
    expect(contentOf(anomaly, withHost).labels).toEqual({ ...few, instance: "node-7", team: "storage" });
    const onMany = anomalyFor({ id: "0a1b", pipeline: "app", fingerprint: "f1" });
    expect(contentOf(onMany, withHost).labels).not.toHaveProperty("instance");
    const other = anomalyFor({ id: "2", pipeline: "app", fingerprint: "f1", host: "node-8" });
    expect(identityOf(anomaly, options)).toBe(identityOf(other, options));
    expect(identityOf(anomaly, withHost)).not.toBe(identityOf(other, withHost));
  });

  it("says what happened, where, how sure, how new, and its heaviest lines without what varies in them", () => {
    const { annotations } = contentOf(anomaly, options);
    expect(annotations).toMatchObject({
      summary: "Anomalous logs in app on node-7: disk <*> failed",
      where: "node-7:/var/log/app.log",
      confidence: "Likely: score 0.900; windows are called anomalous from 0.5 on (starter 1.0.0)",
      novelty: "New (0.62; 0 is known from training, 1 like nothing in it): disk <*> failed",
      lines: "+2.1  disk <*> failed (2 times)\n+0.4  user <*> logged in",
      verdict_id: "0a1b",
    });
    expect(JSON.stringify(annotations)).not.toMatch(/eve|disk 7|key of/);
    const raw = contentOf(anomaly, { ...options, lines: "raw" }).annotations;
    expect(raw.lines).toBe("+2.1  disk 7 failed\u241b[31m (2 times)\n+0.4  user eve logged in");
    expect(raw.window_key).toBe("key of 0a1b");
  });

  it("says how many of the lines were judged, where that is not all", () => {
    const ofAll = contentOf(anomaly, options).annotations.window;
    const ofSome = contentOf(anomalyFor({ id: "1", pipeline: "app", lines, scored: 3 }), options);
    expect(ofAll).toMatch(/^4 lines from /);
    expect(ofSome.annotations.window).toMatch(/^4 lines \(the first 3 of them judged\) from /);
  });

  it.each([
    [0.52, "Borderline"],
    [0.7, "More likely than not"],
    [0.9, "Likely"],
    [0.96, "Almost certain"],
  ])("with a score of %s against 0.5 is called %s", (score, words) => {
    const { annotations } = contentOf(anomalyFor({ id: "1", pipeline: "app", score }), options);
    expect(annotations.confidence).toMatch(new RegExp(`^${words}: score ${score}`));
  });

  it("is critical from a score on, unless the pipeline names a severity", () => {
    const labelsAt = (score: number, labels = {}) =>
      contentOf(anomalyFor({ id: "1", pipeline: "app", score }), { ...options, labels }).labels;
    expect([labelsAt(0.949).severity, labelsAt(0.95).severity]).toEqual(["warning", "critical"]);
    expect(rankOf(labelsAt(0.95))).toBeGreaterThan(rankOf(labelsAt(0.9)));
    const named = { severity: "page" };
    expect([0.5, 0.99].map((score) => labelsAt(score, named).severity)).toEqual(["page", "page"]);
    expect(rankOf(labelsAt(0.5, named))).toBe(rankOf(labelsAt(0.99, named)));
  });

  it("names commands that can be copied, whatever stands in the verdict, and where the triage page shows it", () => {
    const hostile = structuredClone(anomaly);
    hostile.event.id = "x'; rm -rf ~; '";
    const all = { ...options, alertmanager: "http://am:9093", publicUrl: "https://lg.example/" };
    const { annotations } = contentOf(hostile, all);
    const [explain, again, falseAlarm, silence] = annotations.next?.split("\n") ?? [];
    expect(explain).toBe("Explain: logguardian explain 'x'\\''; rm -rf ~; '\\'''");
    expect(again).toBe(
      "Judge again: logguardian replay --pipeline app --label check-f1 --offsets raw:0:100-103",
    );
    expect(parseOffsets(again?.split("--offsets ")[1] ?? "")).toEqual([
      { topic: "raw", partition: 0, first: 100, last: 103 },
    ]);
    expect(falseAlarm).toBe("False alarm: logguardian feedback 'x'\\''; rm -rf ~; '\\''' false-alarm");
    expect(silence).toMatch(
      /^Silence: amtool silence add --alertmanager.url=http:\/\/am:9093 .* alertname=LogAnomaly pipeline=app fingerprint=f1$/,
    );
    expect(annotations.link).toBe("https://lg.example/#/anomalies/x'%3B%20rm%20-rf%20~%3B%20'");
    expect(contentOf(anomaly, options).annotations).not.toHaveProperty("link");
  });

  it("of a replay says so in a label, and advises neither to replay it nor to keep it quiet", () => {
    const replayed = structuredClone(anomaly);
    replayed.logguardian.replay = "outage";
    const { labels, annotations } = contentOf(replayed, options);
    expect(labels.replay).toBe("outage");
    expect(annotations.next).not.toMatch(/replay|feedback/);
  });
});
