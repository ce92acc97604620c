import pc from "picocolors";
import { heaviestLines } from "../verdict/fingerprint.ts";
import type { Verdict } from "../verdict/verdict.ts";

/** Makes control characters visible: a log line must not move the cursor of whoever reads it. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 32 ? String.fromCodePoint(0x2400 + code) : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** Lines of an anomaly that a person sees at first. */
const shownLines = 5;

/** A verdict for a person: what, where, when, how sure, and the lines that weigh most. */
export function verdictForPeople(verdict: Verdict): string {
  const { window } = verdict;
  const when = new Date(window.start).toISOString().replace("T", " ").slice(0, 19);
  const where = visible(window.key);
  const size = `${window.lines.length} lines`;
  if (verdict.verdict === "undecided")
    return `${pc.yellow("undecided")}  ${where}  since ${when}  ${size}  ${verdict.reason}`;
  const sure = `score ${(verdict.score ?? 0).toFixed(3)}`;
  if (verdict.verdict === "normal") return `${pc.green("normal")}  ${where}  since ${when}  ${size}  ${sure}`;
  const heaviest = heaviestLines(verdict).slice(0, shownLines);
  const rows = heaviest
    .sort((a, b) => a - b)
    .map((place) => {
      const weight = `+${(verdict.weights?.[place] ?? 0).toFixed(1)}`.padStart(6);
      return `  ${pc.red(weight)}  ${visible(window.lines[place]?.text ?? "").slice(0, 200)}`;
    });
  return [
    `${pc.bold(pc.red("ANOMALOUS"))}  ${pc.bold(where)}  since ${when}  ${size}  ${sure}`,
    ...rows,
  ].join("\n");
}

/** A verdict for a program: one JSON object. */
export function verdictForPrograms(verdict: Verdict): string {
  const { window } = verdict;
  return JSON.stringify({
    id: window.id,
    key: window.key,
    verdict: verdict.verdict,
    score: verdict.score,
    margin: verdict.margin,
    threshold: verdict.threshold,
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
    })),
    model: verdict.model,
  });
}
