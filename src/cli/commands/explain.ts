import { styleText } from "node:util";
import { counted } from "../../alert/wording.ts";
import { type Explanation, explain } from "../../classify/explanation.ts";
import { loadConfigOrDefaults, pipelineOf } from "../../config/load.ts";
import type { PipelineConfig } from "../../config/pipeline-schema.ts";
import type { Config } from "../../config/schema.ts";
import { LogGuardianError } from "../../errors.ts";
import type { LayoutName } from "../../ingest/layouts.ts";
import { modelOptionsOf, type OpenModel, withModel } from "../../pipeline/open-model.ts";
import { lineMaskerOf } from "../../pipeline/stages.ts";
import { type Judged, type Pattern, patternsOf } from "../../verdict/patterns.ts";
import { visible, visibleStart } from "../../verdict/visible.ts";
import { anomaliesOnTopic } from "../anomalies-on-topic.ts";
import { parseNumber } from "../arguments.ts";
import {
  isFile,
  type Subject,
  subjectOf,
  subjectOnTopic,
  subjectsOfFile,
  verdictsOfFile,
} from "../explain-subjects.ts";
import { createProgress } from "../progress.ts";

interface Options {
  patterns?: boolean;
  layout?: LayoutName;
  pipeline?: string;
  config?: string;
  model?: string;
  threshold?: string;
  leaveOut?: boolean;
  json?: boolean;
}

export async function explainCommand(what: string | undefined, options: Options): Promise<void> {
  if (what === undefined && options.patterns !== true)
    throw new LogGuardianError(
      "LG_USAGE",
      "Nothing says what to explain.",
      "Give a verdict's id, a file, - for standard input, or --patterns.",
    );
  const threshold =
    options.threshold === undefined ? undefined : parseNumber(options.threshold, "--threshold", 0, 1);
  const config = loadConfigOrDefaults(options.config);
  const asked =
    options.patterns === true
      ? await patternsIn(what, config, options)
      : await subjectsIn(what ?? "-", config);
  if (asked.length === 0) return console.log("No anomaly is there.");
  const progress = createProgress();
  let done = 0;
  // Each with the model of its pipeline.
  for (const [name, group] of Map.groupBy(asked, ({ subject }) => subject.pipeline)) {
    const pipeline = pipelineFor(name, options, config);
    const modelOptions = {
      ...modelOptionsOf(config, pipeline ?? {}),
      ...(options.model === undefined ? {} : { bundleDir: options.model }),
      ...(threshold === undefined ? {} : { threshold }),
    };
    await withModel(modelOptions, async (model) => {
      for (const { subject, pattern } of group) {
        const explained = await explainedBy(model, subject, {
          threshold: modelOptions.threshold ?? model.bundle.manifest.threshold,
          leaveOut: options.leaveOut,
          layout: options.layout ?? pipeline?.layout ?? "none",
          custom: pipeline?.mask?.custom ?? [],
        });
        progress.show("windows explained", ++done, asked.length);
        if (options.json === true) console.log(JSON.stringify(forPrograms(explained, pattern)));
        else console.log(pattern === undefined ? forPeople(explained) : patternForPeople(pattern, explained));
      }
    });
  }
  progress.end();
}

interface Asked {
  subject: Subject;
  pattern?: Pattern;
}

async function subjectsIn(what: string, config: Config): Promise<Asked[]> {
  if (isFile(what)) return (await subjectsOfFile(what)).map((subject) => ({ subject }));
  if (/^[0-9a-f]{32}$/.test(what)) return [{ subject: await subjectOnTopic(what, config) }];
  throw new LogGuardianError(
    "LG_USAGE",
    `${what} is neither a file nor the id of a verdict.`,
    "An id is 32 digits of 0-9a-f: event.id, the header lg-id, or the alert's verdict_id.",
  );
}

/** Of a file or the topic; of one pipeline where one is named. */
async function patternsIn(file: string | undefined, config: Config, { pipeline }: Options): Promise<Asked[]> {
  const all: Judged[] = [];
  const take = (anomaly: Judged) => {
    if (pipeline === undefined || anomaly.logguardian.pipeline === pipeline) all.push(anomaly);
  };
  if (file !== undefined) for (const anomaly of await verdictsOfFile(file)) take(anomaly);
  else for await (const anomaly of anomaliesOnTopic(config)) take(anomaly);
  return patternsOf(all).map((pattern) => ({ subject: subjectOf(pattern.newest), pattern }));
}

/** The one asked for, or that the verdict names, where the configuration has it. @throws LogGuardianError LG_USAGE. */
function pipelineFor(name: string | undefined, options: Options, config: Config): PipelineConfig | undefined {
  if (options.pipeline !== undefined) return pipelineOf(config, options.pipeline);
  return name !== undefined && Object.hasOwn(config.pipelines, name) ? pipelineOf(config, name) : undefined;
}

interface Explained {
  subject: Subject;
  /** What the model saw: as the verdict says, if this model judged it. */
  masked: string[];
  explanation: Explanation;
  threshold: number;
  model: { name: string; version: string };
}

async function explainedBy(
  { bundle, embedder, scorer }: OpenModel,
  subject: Subject,
  options: {
    threshold: number;
    leaveOut: boolean | undefined;
    layout: PipelineConfig["layout"];
    custom: NonNullable<PipelineConfig["mask"]>["custom"];
  },
): Promise<Explained> {
  const { manifest } = bundle;
  const { name, version } = manifest;
  const masker = lineMaskerOf(manifest, options);
  const isSame = subject.model?.name === name && subject.model.version === version;
  const masked = subject.lines
    .slice(0, manifest.window.maxLines)
    .map(({ text, masked }) => (isSame && masked !== undefined ? masked : masker.mask(text).masked));
  const deps = { embedder, scorer, calibration: manifest.calibration };
  const explanation = await explain(deps, masked, options);
  return { subject, masked, explanation, threshold: options.threshold, model: { name, version } };
}

function forPrograms({ subject, masked, explanation, threshold, model }: Explained, pattern?: Pattern) {
  const { margin, score, prefixScores, weights, crossedAt, decisive, sufficient } = explanation;
  const { id, key, start } = subject;
  const { newest, ...found } = pattern ?? {};
  return {
    ...(pattern === undefined ? {} : { pattern: { ...found, newest: newest?.event.id } }),
    ...{
      id,
      key,
      start,
      model,
      threshold,
      margin,
      score,
      verdict: score >= threshold ? "anomalous" : "normal",
    },
    ...{ crossedAt, decisive, sufficient },
    lines: masked.map((line, place) => ({
      text: subject.lines[place]?.text,
      masked: line,
      score: prefixScores[place + 1],
      weight: weights[place],
    })),
  };
}

const shownCharacters = 160;

function forPeople({ subject, masked, explanation, threshold, model }: Explained): string {
  const { score, prefixScores, weights, crossedAt, decisive, sufficient = [] } = explanation;
  const isAnomalous = score >= threshold;
  const verdict = isAnomalous ? styleText(["bold", "red"], "ANOMALOUS") : styleText("green", "normal");
  const since = subject.start === undefined ? "" : `  since ${subject.start}`;
  const heaviest = Math.max(0, ...weights);
  const rows = masked.map((_, place) => {
    const weight = weights[place] ?? 0;
    const columns = [
      place === crossedAt ? styleText("red", "▶") : " ",
      String(place + 1).padStart(3),
      (prefixScores[place + 1] ?? 0).toFixed(3),
      signed(weight),
      visibleStart(subject.lines[place]?.text ?? "", shownCharacters),
    ];
    const row = columns.join("  ");
    return weight > heaviest / 4 ? styleText("red", row) : row;
  });
  const heads = ["    #", "score", "weight", "line"];
  const notScored = subject.lines.length - masked.length;
  return [
    `${verdict}  ${styleText("bold", visible(subject.key))}${since}  ${subject.lines.length} lines  score ${score.toFixed(3)} (threshold ${threshold}), ${model.name} ${model.version}`,
    `  ${heads.join("  ")}`,
    ...rows,
    ...(notScored > 0 ? [`${notScored} more lines are beyond what the model takes, and not scored.`] : []),
    ...(crossedAt === undefined
      ? []
      : ["▶ from here on the score, of the lines so far, stays at or above the threshold."]),
    ...(sufficient.length > 0
      ? [`Enough for the verdict by themselves, none to spare: # ${numbersOf(sufficient)}.`]
      : []),
    ...(decisive !== undefined && decisive.length > 0
      ? [`Without any one of these the window would be normal: # ${numbersOf(decisive)}.`]
      : []),
    ...(decisive?.length === 0
      ? [
          "No single line decides it: without any one of them the window is anomalous still. Several may each be enough;" +
            " where their weights are small, look for what is missing, as in a session that was cut or did not end.",
        ]
      : []),
  ].join("\n");
}

function patternForPeople(pattern: Pattern, { masked, explanation, threshold, model }: Explained): string {
  const { sufficient = [] } = explanation;
  const { fingerprint, pipeline, windows, origins, firstSeen, lastSeen, commonLines, newest } = pattern;
  const keep = new Set(sufficient.map((place) => masked[place]));
  const others = commonLines.filter((line) => !keep.has(line));
  return [
    `${styleText("bold", fingerprint)}  ${pipeline}  ${counted(windows, "window")} of ${counted(origins, "origin")}  ${firstSeen} to ${lastSeen}`,
    `  its newest         ${newest.event.id}${newest.logguardian.score == null ? "" : `  score ${newest.logguardian.score.toFixed(3)}`}  ${visibleStart(newest.logguardian.key, 80)}`,
    ...[...keep].map((line) =>
      styleText("red", `  keeps the verdict  ${visibleStart(line ?? "", shownCharacters)}`),
    ),
    ...others.map((line) => `  in all of them     ${visibleStart(line, shownCharacters)}`),
    ...(keep.size > 0
      ? []
      : [`  ${model.name} ${model.version} finds its newest window normal (threshold ${threshold}).`]),
  ].join("\n");
}

function numbersOf(places: readonly number[]): string {
  return places.map((place) => place + 1).join(", ");
}

function signed(value: number): string {
  const text = value.toFixed(1).replace("-0.0", "0.0");
  return `${text.startsWith("-") ? "" : "+"}${text}`.padStart(6);
}
