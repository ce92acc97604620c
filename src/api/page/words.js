/** How things are said: times, numbers, and what an anomaly is in a sentence. */

const controls =
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** Makes control characters visible: a log line must not reorder or hide what stands beside it. @param {string} text */
export function visible(text) {
  return text.replace(controls, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 32 ? String.fromCodePoint(0x2400 + code) : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** As operators compare it with their logs: UTC, to the second. @param {string | number} time */
export function dateTime(time) {
  return new Date(time).toISOString().slice(0, 19).replace("T", " ");
}

/** @param {string | number} time */
export function clock(time) {
  return new Date(time).toISOString().slice(11, 19);
}

const spans = /** @type {const} */ ([
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
]);

/** The two greatest parts of it. @param {number} milliseconds */
export function duration(milliseconds) {
  let left = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [];
  for (const [unit, size] of spans) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "under 1 s" : parts.join(" ");
}

/** @param {string | number} time @param {number} [now] */
export function ago(time, now = Date.now()) {
  const past = now - new Date(time).getTime();
  return past < 0 ? `in ${duration(-past)}` : `${duration(past).split(" ").slice(0, 2).join(" ")} ago`;
}

/** @param {number | null | undefined} number @param {number} [digits] */
export function fixed(number, digits = 2) {
  return number === null || number === undefined ? "–" : number.toFixed(digits);
}

/** @param {number} weight */
export function signed(weight) {
  const text = weight.toFixed(1).replace("-0.0", "0.0");
  return text.startsWith("-") ? text.replace("-", "−") : `+${text}`;
}

/** @param {number} number @param {string} one @param {string} [many] */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** Its heaviest line: what happened, in the log's own words. @param {any} anomaly @param {"text" | "masked"} [form] */
export function headline(anomaly, form = "text") {
  if (anomaly.verdict === "undecided")
    return `The model could not be asked (${anomaly.reason ?? "no reason"})`;
  return visible(anomaly.heaviest[0]?.[form] ?? anomaly.key);
}

/** Where it was written; where nobody says, which window it is. @param {any} anomaly */
export function whereOf({ origin, key }) {
  return visible(origin === "unknown" ? key : origin);
}

/** @param {any} anomaly */
export function sentence(anomaly) {
  const { lines, start, end, verdict, stage } = anomaly;
  const lasted = new Date(end).getTime() - new Date(start).getTime();
  const what = `${count(lines, "line")} of ${whereOf(anomaly)}`;
  const when = `${lasted < 1000 ? "at" : "from"} ${dateTime(start)}${lasted < 1000 ? "" : ` to ${start.slice(0, 10) === end.slice(0, 10) ? clock(end) : dateTime(end)}`} UTC`;
  if (verdict === "undecided") return `${what}, ${when}, could not be judged.`;
  if (stage === "raised")
    return `${what}, ${when}, ${lines === 1 ? "looks" : "look"} anomalous; the window is still open.`;
  if (verdict === "normal")
    return `${what}, ${when}, looked anomalous before the window closed, and ${lines === 1 ? "is" : "are"} normal.`;
  return `${what}, ${when}, ${lines === 1 ? "is" : "are"} anomalous.`;
}

/** @param {number | null} novelty */
export function noveltyInWords(novelty) {
  if (novelty === null) return "This model cannot tell.";
  if (novelty === 0) return "Every line is known from training.";
  if (novelty < 0.1) return "Its lines are close to those of training.";
  if (novelty < 0.5) return "It holds a line that training has nothing quite like.";
  return "It holds a line like nothing in training.";
}

/** Until when it holds, and why it was said. @param {any} said */
export function saidMore({ until, note }) {
  return `${until === null ? "" : ` until ${dateTime(until)} UTC`}${note === null ? "" : ` “${visible(note)}”`}`;
}

/** What a person said of it; a sign stands beside each word, as colour is never the only one. @param {any} said */
export function saidInWords(said) {
  if (said === null || said === undefined) return "";
  return said.judgement === "confirmed" ? "✓ confirmed" : "✕ false alarm";
}
