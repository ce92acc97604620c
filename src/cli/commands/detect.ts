import { access, constants } from "node:fs/promises";
import { resolve } from "node:path";
import { styleText } from "node:util";
import { fieldsOf, keySpecOf, loadConfig, pipelineOf, rawTopicsOf, windowSpecOf } from "../../config/load.ts";
import { detectPipeline, type PipelineConfig } from "../../config/pipeline-schema.ts";
import { LogGuardianError, reasonOf, told } from "../../errors.ts";
import { isPacked, readRecords } from "../../ingest/file-source.ts";
import { createFormat, type FormatName } from "../../ingest/formats/index.ts";
import type { KeySpec } from "../../ingest/keys.ts";
import type { LayoutName } from "../../ingest/layouts.ts";
import { runEmbedded } from "../../pipeline/embedded.ts";
import { createFamiliarity } from "../../pipeline/familiarity.ts";
import { type OpenModel, withModel } from "../../pipeline/open-model.ts";
import { createStages } from "../../pipeline/stages.ts";
import type { SessionSpec, WindowSpec } from "../../window/window.ts";
import { parseDuration, parseNumber, parseWindowSpec } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { verdictForPeople, verdictForPrograms } from "../show.ts";

interface Options {
  session?: string;
  gap?: string;
  end?: string;
  window?: string;
  layout?: LayoutName;
  format?: FormatName;
  pipeline?: string;
  config?: string;
  follow?: boolean;
  all?: boolean;
  model?: string;
  threshold?: string;
}

/** A session or time window of more lines is cut: one key must not hold memory without end. */
const mostLines = 1000;
const batchWindows = 64;

export async function detectCommand(files: string[], options: Options): Promise<void> {
  if (options.session !== undefined && options.window !== undefined) {
    throw new LogGuardianError(
      "LG_USAGE",
      "--session and --window exclude each other.",
      "Choose one kind of window.",
    );
  }
  assertSources(files, options.follow === true);
  await Promise.all(files.map(assertReadable));
  const pipeline =
    options.pipeline === undefined ? undefined : pipelineOf(loadConfig(options.config), options.pipeline);
  const bundleDir = options.model ?? pipeline?.bundle;
  const threshold =
    options.threshold === undefined
      ? pipeline?.threshold
      : parseNumber(options.threshold, "--threshold", 0, 1);
  const chosen = {
    ...(bundleDir === undefined ? {} : { bundleDir }),
    ...(threshold === undefined ? {} : { threshold }),
  };
  await withModel(chosen, (model) => detectWith(model, files, options, pipeline));
}

/** The stages as the options ask, else as the pipeline does, else as the bundle does. */
function stagesFor(model: OpenModel, options: Options, pipeline: PipelineConfig | undefined) {
  const defaults = model.bundle.manifest.window.defaults;
  let window: WindowSpec =
    pipeline === undefined ? { kind: "sliding", ...defaults } : windowSpecOf(pipeline.window);
  let key: KeySpec = pipeline === undefined ? { kind: "origin" } : keySpecOf(pipeline.key);
  if (options.window !== undefined) window = parseWindowSpec(options.window, mostLines);
  if (options.session !== undefined) {
    key = { kind: "pattern", pattern: options.session };
    window = { kind: "session", gapMs: 30 * 60_000, maxLines: mostLines };
  }
  if (options.gap !== undefined)
    window = { ...asSession(window, "--gap"), gapMs: parseDuration(options.gap, "--gap") };
  if (options.end !== undefined) window = { ...asSession(window, "--end"), end: options.end };
  return createStages(model, {
    pipeline: options.pipeline ?? detectPipeline,
    format: createFormat(
      options.format ?? formatFor(pipeline),
      pipeline === undefined ? {} : { fields: fieldsOf(pipeline) },
    ),
    layout: options.layout ?? pipeline?.layout ?? "none",
    custom: pipeline?.mask?.custom ?? [],
    key,
    window,
    batchWindows,
  });
}

/** Files of a pipeline's may be wrapped as its records are, or as their program wrote them; of text they are one and the same. */
function formatFor(pipeline: PipelineConfig | undefined): FormatName {
  const isText = pipeline === undefined || rawTopicsOf(pipeline).every(({ format }) => format === "text");
  return isText ? "text" : "auto";
}

/** @throws LogGuardianError LG_USAGE. */
function asSession(window: WindowSpec, option: string): SessionSpec {
  if (window.kind === "session") return window;
  throw new LogGuardianError("LG_USAGE", `${option} belongs to sessions.`, "Give --session with it.");
}

async function detectWith(
  model: OpenModel,
  files: string[],
  options: Options,
  pipeline: PipelineConfig | undefined,
): Promise<void> {
  const stages = stagesFor(model, options, pipeline);
  const familiarity = createFamiliarity(model.bundle.manifest, { fewestLines: 10 });

  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  const show = process.stdout.isTTY ? verdictForPeople : verdictForPrograms;
  const reading = { follow: options.follow === true, signal: stop.signal };
  const live = options.follow === true || files.includes("-") ? { live: { idleAfterMs: 30_000 } } : {};
  const summary = await runEmbedded(
    stages,
    files.map((name) => ({ name, batches: readRecords(name, reading) })),
    {
      onVerdict: async (verdict) => {
        familiarity.see([verdict]);
        if (verdict.verdict === "normal" && options.all !== true) return;
        if (!process.stdout.write(`${show(verdict)}\n`)) await drained();
      },
      onDeadLetter: ({ record, error }) =>
        console.error(`${record.topic}, line ${record.offset + 1} is left out: ${reasonOf(error)}`),
    },
    { maxPendingWindows: 4 * batchWindows, stop, ...live },
  );
  const { records, lines, undated, windows, anomalous, undecided, deadLetters, linesNotScored } = summary;
  const extra = [
    undecided > 0 ? `${undecided} undecided` : "",
    deadLetters > 0 ? `${deadLetters} records left out` : "",
    undated > 0 && undated < lines ? `${undated} lines without a time of their own` : "",
    linesNotScored > 0 ? `${linesNotScored} lines beyond the model's limit not scored` : "",
  ].filter((part) => part !== "");
  console.error([`${lines} lines, ${windows} windows, ${anomalous} anomalous`, ...extra].join(", "));
  const doubt = familiarity.doubt();
  if (doubt !== undefined) console.error(`${styleText("yellow", "Note:")} ${told(doubt)}`);
  const layout = options.layout ?? pipeline?.layout ?? "none";
  if (lines > 0 && undated === lines && (layout !== "none" || options.session !== undefined))
    console.error(
      `No line has a time that can be read with the layout ${typeof layout === "string" ? layout : "of the pipeline"}, so no silence ends a session. Give the --layout of these lines.`,
    );
  if (records > 0 && deadLetters === records)
    throw new LogGuardianError(
      "LG_INPUT_UNREADABLE",
      "No line could be read, though there was input.",
      "Give the --format in which the lines are wrapped; text takes any.",
    );
  if (anomalous > 0) process.exitCode = exitCodes.anomalous;
}

/** @throws LogGuardianError LG_USAGE. */
function assertSources(files: readonly string[], follow: boolean): void {
  const twice = files.find(
    (file, place) => files.findIndex((other) => resolve(other) === resolve(file)) < place,
  );
  if (twice !== undefined)
    throw new LogGuardianError("LG_USAGE", `${twice} is named twice.`, "Name every file once.");
  const packed = files.find((file) => follow && isPacked(file));
  if (packed !== undefined)
    throw new LogGuardianError(
      "LG_USAGE",
      `${packed} is packed and cannot be followed: nothing can be appended to it.`,
      "Leave out --follow, or follow the file that is being written.",
    );
}

async function assertReadable(path: string): Promise<void> {
  if (path === "-") return;
  await access(path, constants.R_OK).catch((thrown) => {
    throw new LogGuardianError(
      "LG_FILE_UNREADABLE",
      `${path} cannot be read: ${reasonOf(thrown)}.`,
      "Check the path and its permissions; - reads standard input.",
      thrown,
    );
  });
}

function drained(): Promise<void> {
  return new Promise((resolve) => process.stdout.once("drain", resolve));
}
