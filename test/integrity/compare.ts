import type kafkajs from "kafkajs";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { check } from "../support/stream.ts";
import type { Fault, Outcome } from "./fault.ts";

/** On standard error. */
const shownDifferences = 6;

/** The time of one fault. */
export interface Phase {
  fault: Fault;
  /** Where the raw topics ended when it began: `<topic>:<partition>` to the next offset. */
  begins: ReadonlyMap<string, number>;
}

/** The newest revision of a verdict. */
interface Final {
  pipeline: string;
  key: string;
  revision: number;
  /** What must be equal. */
  content: string;
  /** Of its lines: `<topic>:<partition>:<offset>:<index>`. */
  positions: string[];
}

type Counts = Pick<Outcome, "expected" | "lost" | "extra" | "differing">;

/** Newest revisions by id. */
export function finalVerdicts(messages: readonly kafkajs.KafkaMessage[]): Map<string, Final> {
  const found = new Map<string, Final>();
  for (const { value } of messages) {
    const { logguardian: ours, event } = JSON.parse(String(value)) as Anomaly;
    const { pipeline, key, revision } = ours;
    const positions = ours.lines.map(({ position }) => position);
    const content = JSON.stringify([key, ours.verdict, ours.score, ours.window.closed, positions]);
    const known = found.get(event.id);
    check(
      known === undefined || known.revision !== revision || known.content === content,
      `what is sent twice is equal: ${event.id}`,
    );
    if (known === undefined || known.revision < revision)
      found.set(event.id, { pipeline, key, revision, content, positions });
  }
  return found;
}

/** What the undisturbed run has and the other has not, and the other way round; by phase. */
export function compare(
  phases: readonly Phase[],
  disturbed: ReadonlyMap<string, Final>,
  undisturbed: ReadonlyMap<string, Final>,
): Counts[] {
  const counts = phases.map((): Counts => ({ expected: 0, lost: 0, extra: 0, differing: 0 }));
  const different: string[] = [];
  const differ = (phase: number, how: Exclude<keyof Counts, "expected">, what: string) => {
    const count = counts[phase];
    if (count !== undefined) count[how]++;
    different.push(`${phases[phase]?.fault.promise}: ${how}: ${what}`);
  };
  const phaseOf = ({ positions }: Pick<Final, "positions">) =>
    Math.max(0, ...positions.map((position) => phaseOfLine(phases, position)));
  /** Windows that a fault has cut anew differ for as long as their key has lines. */
  const isByLines = (one: Final) =>
    phases.slice(0, phaseOf(one) + 1).some(({ fault }) => fault.recuts?.(one.pipeline, one.key) === true);

  for (const [id, one] of undisturbed) {
    const phase = phaseOf(one);
    const count = counts[phase];
    if (count !== undefined) count.expected++;
    const own = disturbed.get(id);
    if (own?.content === one.content || isByLines(one)) continue;
    differ(
      phase,
      own === undefined ? "lost" : "differing",
      `${own?.content} where undisturbed ${one.content}`,
    );
  }
  for (const [id, own] of disturbed)
    if (!undisturbed.has(id) && !isByLines(own)) differ(phaseOf(own), "extra", own.content);

  const linesOf = (verdicts: ReadonlyMap<string, Final>) =>
    new Set([...verdicts.values()].filter(isByLines).flatMap(({ positions }) => positions));
  const [found, expected] = [linesOf(disturbed), linesOf(undisturbed)];
  // A window of an earlier phase may have been joined by lines of a later one.
  const [all, allExpected] = [disturbed, undisturbed].map(
    (verdicts) => new Set([...verdicts.values()].flatMap(({ positions }) => positions)),
  ) as [Set<string>, Set<string>];
  for (const line of expected) if (!all.has(line)) differ(phaseOfLine(phases, line), "lost", line);
  for (const line of found) if (!allExpected.has(line)) differ(phaseOfLine(phases, line), "extra", line);
  for (const what of different.slice(0, shownDifferences)) console.error(`  ${what.slice(0, 1_000)}`);
  return counts;
}

function phaseOfLine(phases: readonly Phase[], position: string): number {
  const [topic, partition, offset] = position.split(":");
  const begun = phases.filter(({ begins }) => Number(offset) >= (begins.get(`${topic}:${partition}`) ?? 0));
  return Math.max(0, begun.length - 1);
}
