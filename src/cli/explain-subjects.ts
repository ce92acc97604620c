import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Config } from "../config/schema.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import type { Origin } from "../ingest/line.ts";
import type { AnomalyLine } from "../verdict/anomaly.ts";
import type { Judged } from "../verdict/patterns.ts";
import { anomalyIn, verdictOnTopic } from "./anomalies-on-topic.ts";

/** A window that is to be explained: of a verdict, or of plain lines. */
export interface Subject {
  id?: string;
  key: string;
  start?: string;
  pipeline?: string;
  /** Which model judged it. */
  model?: { name: string; version: string };
  lines: { text: string; masked?: string }[];
}

/** As `detect` prints it: see `verdictForPrograms`. */
type PrintedVerdict = Judged["event"] &
  Omit<Judged["logguardian"], "revision" | "lines"> & {
    lines: (Pick<AnomalyLine, "text" | "masked" | "weight"> & { origin?: Origin })[];
  };

/**
 * Verdicts of a file, as the anomalies topic holds them or `detect` prints them, one a line; else its lines are one window.
 * `-` is standard input. @throws LogGuardianError LG_EXPLAIN_EMPTY, LG_EXPLAIN_VERDICT, LG_FILE_UNREADABLE.
 */
export async function subjectsOfFile(file: string): Promise<Subject[]> {
  const rows = await rowsOf(file);
  if (rows.length === 0)
    throw new LogGuardianError(
      "LG_EXPLAIN_EMPTY",
      `${nameOf(file)} holds no line.`,
      "Give a file with log lines or verdicts; `detect` prints nothing where it finds no anomaly.",
    );
  if (judgedIn(rows[0]?.text ?? "") === undefined) return [{ key: nameOf(file), lines: rows }];
  return rows.map((row) => subjectOf(judgedIn(row.text) ?? refuse(file, row)));
}

interface Row {
  text: string;
  /** In the file, from 1. */
  number: number;
}

async function rowsOf(file: string): Promise<Row[]> {
  const whole = file === "-" ? text(process.stdin) : readFile(file, "utf8");
  const content = await whole.catch((thrown) => {
    throw new LogGuardianError(
      "LG_FILE_UNREADABLE",
      `${file} cannot be read: ${reasonOf(thrown)}.`,
      "Check the path and its permissions.",
      thrown,
    );
  });
  return content
    .split("\n")
    .map((row, place) => ({ text: row.replace(/\r$/, ""), number: place + 1 }))
    .filter((row) => row.text.trim() !== "");
}

function refuse(file: string, row: Row): never {
  throw new LogGuardianError(
    "LG_EXPLAIN_VERDICT",
    `${nameOf(file)}, line ${row.number}, is no verdict as the anomalies topic holds it or detect prints it.`,
    "Give one verdict a line, as a consumer of the topic gets them or `detect` writes them into a pipe or a file.",
  );
}

function nameOf(file: string): string {
  return file === "-" ? "standard input" : file;
}

export function isFile(name: string): boolean {
  return name === "-" || existsSync(name);
}

/** A verdict in either form; undefined: it is none. */
function judgedIn(row: string): Judged | undefined {
  return anomalyIn(Buffer.from(row)) ?? printedIn(row);
}

function printedIn(row: string): Judged | undefined {
  let content: unknown;
  try {
    content = JSON.parse(row);
  } catch {
    return undefined;
  }
  if (typeof content !== "object" || content === null) return undefined;
  if (!("id" in content && "lines" in content && "verdict" in content && "model" in content))
    return undefined;
  const { id, start, end, ...rest } = content as PrintedVerdict;
  const lines = rest.lines.map(({ origin = {}, ...line }) => ({ ...line, ...origin }));
  return { event: { id, start, end }, logguardian: { revision: 1, ...rest, lines } };
}

export function subjectOf({ event, logguardian: { key, pipeline, model, lines } }: Judged): Subject {
  return { id: event.id, key, start: event.start, pipeline, model, lines };
}

/** @throws LogGuardianError LG_VERDICT_UNKNOWN, LG_KAFKA_*. */
export async function subjectOnTopic(id: string, config: Config): Promise<Subject> {
  return subjectOf(await verdictOnTopic(id, config));
}

/** Verdicts of a file, as for `subjectsOfFile`. @throws LogGuardianError LG_EXPLAIN_VERDICT, LG_FILE_UNREADABLE. */
export async function verdictsOfFile(file: string): Promise<Judged[]> {
  return (await rowsOf(file)).map((row) => judgedIn(row.text) ?? refuse(file, row));
}
