import type { Anomaly } from "../verdict/anomaly.ts";

/** More make a command that nobody copies. */
const mostRanges = 16;

/**
 * Commands for whoever is alerted: which lines made the verdict, the same window judged again, a false alarm, silence.
 * @param labels of the alert. @param alertmanager URL of one.
 */
export function nextSteps(
  { event, logguardian: ours }: Anomaly,
  labels: Record<string, string>,
  alertmanager: string | undefined,
): string {
  const steps = [["Explain", `logguardian explain ${quoted(event.id)}`]];
  const offsets = ours.replay === undefined ? offsetsOf(ours.lines) : undefined;
  if (offsets !== undefined)
    steps.push([
      "Judge again",
      `logguardian replay --pipeline ${quoted(ours.pipeline)} --label check-${labels.fingerprint} --offsets ${quoted(offsets)}`,
    ]);
  // Of a replay's verdict it would keep nothing quiet.
  if (ours.replay === undefined)
    steps.push(["False alarm", `logguardian feedback ${quoted(event.id)} false-alarm`]);
  if (alertmanager !== undefined) steps.push(["Silence", silenceOf(labels, alertmanager)]);
  return steps.map(([what, command]) => `${what}: ${command}`).join("\n");
}

/** For two hours, on all hosts and of either severity. */
export function silenceOf(labels: Record<string, string>, alertmanager: string): string {
  const matchers = ["alertname", "pipeline", "fingerprint"]
    .filter((name) => labels[name] !== undefined)
    .map((name) => quoted(`${name}=${labels[name]}`));
  return `amtool silence add --alertmanager.url=${quoted(alertmanager)} --duration=2h --comment='looking into it' ${matchers.join(" ")}`;
}

/** Where the records of these lines stand, as `replay --offsets` takes it. */
function offsetsOf(lines: Anomaly["logguardian"]["lines"]): string | undefined {
  const ranges = new Map<string, { first: number; last: number }>();
  for (const { position } of lines) {
    const [, where, at] = /^([\w.-]+:\d+):(\d+):\d+$/.exec(position ?? "") ?? [];
    if (where === undefined) return undefined;
    const offset = Number(at);
    const range = ranges.get(where) ?? { first: offset, last: offset };
    ranges.set(where, { first: Math.min(range.first, offset), last: Math.max(range.last, offset) });
  }
  if (ranges.size > mostRanges) return undefined;
  return [...ranges].map(([where, { first, last }]) => `${where}:${first}-${last}`).join(",");
}

/** As a shell takes it for one word: what stands in a verdict must not become a command. */
function quoted(word: string): string {
  return /^[\w.,:/=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
