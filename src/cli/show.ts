import { styleText } from "node:util";
import { heaviestLines } from "../verdict/fingerprint.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { visible, visibleStart } from "../verdict/visible.ts";

/** Lines of an anomaly that a person sees at first. */
const shownLines = 5;

/** A verdict for a person: what, where, when, how sure, and the lines that weigh most. */
export function verdictForPeople(verdict: Verdict): string {
  const { window } = verdict;
  const when = new Date(window.start).toISOString().replace("T", " ").replace(/\..*/, "Z");
  const where = visible(window.key);
  const size = `${window.lines.length} lines`;
  if (verdict.verdict === "undecided")
    return `${styleText("yellow", "undecided")}  ${where}  since ${when}  ${size}  ${verdict.reason}`;
  const novelty = verdict.novelty === undefined ? "" : `  novelty ${verdict.novelty.toFixed(3)}`;
  const sure = `score ${(verdict.score ?? 0).toFixed(3)}${novelty}`;
  if (verdict.verdict === "normal")
    return `${styleText("green", "normal")}  ${where}  since ${when}  ${size}  ${sure}`;
  const heaviest = heaviestLines(verdict).slice(0, shownLines);
  const rows = heaviest
    .sort((a, b) => a - b)
    .map((place) => {
      const value = (verdict.weights?.[place] ?? 0).toFixed(1).replace("-0.0", "0.0");
      const weight = `${value.startsWith("-") ? "" : "+"}${value}`.padStart(6);
      return `  ${styleText("red", weight)}  ${visibleStart(window.lines[place]?.text ?? "", 200)}`;
    });
  return [
    `${styleText(["bold", "red"], "ANOMALOUS")}  ${styleText("bold", where)}  since ${when}  ${size}  ${sure}`,
    ...rows,
  ].join("\n");
}

/** A verdict for a program: one JSON object. */
export function verdictForPrograms(verdict: Verdict): string {
  const { window } = verdict;
  return JSON.stringify({
    id: window.id,
    pipeline: window.pipeline,
    key: window.key,
    verdict: verdict.verdict,
    score: verdict.score,
    margin: verdict.margin,
    threshold: verdict.threshold,
    ...(verdict.novelty === undefined ? {} : { novelty: verdict.novelty }),
    ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
    ...(verdict.fingerprint === undefined ? {} : { fingerprint: verdict.fingerprint }),
    start: new Date(window.start).toISOString(),
    end: new Date(window.end).toISOString(),
    closed: window.reason,
    linesScored: verdict.linesScored,
    lines: window.lines.map((line, place) => ({
      text: line.text,
      masked: line.masked,
      origin: line.origin,
      ...(verdict.weights?.[place] === undefined ? {} : { weight: verdict.weights[place] }),
      ...(verdict.lineNovelties?.[place] === undefined ? {} : { novelty: verdict.lineNovelties[place] }),
    })),
    model: verdict.model,
  });
}
