import { styleText } from "node:util";
import {
  fieldsOf,
  keySpecOf,
  loadConfig,
  loadConfigOrDefaults,
  pipelineOf,
  rawTopicsOf,
} from "../../config/load.ts";
import type { PipelineConfig } from "../../config/pipeline-schema.ts";
import type { Config } from "../../config/schema.ts";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import { readCapturedRecords } from "../../ingest/captured-records.ts";
import { createFormat, type FormatName, type RecordFormat } from "../../ingest/formats/index.ts";
import type { LayoutName } from "../../ingest/layouts.ts";
import type { KeyedLine, RawRecord } from "../../ingest/line.ts";
import { createLineReader, type TimeFrom } from "../../ingest/line-reader.ts";
import { createSchemaRegistry } from "../../ingest/schema-registry.ts";
import { connectKafka } from "../../kafka/client.ts";
import { newestRecords } from "../../kafka/newest-records.ts";
import { createTopics } from "../../kafka/topics.ts";
import { defaultBundleDir, loadManifest } from "../../model/bundle.ts";
import { lineMaskerOf } from "../../pipeline/stages.ts";
import { createHealth } from "../../telemetry/health.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import { visible } from "../../verdict/visible.ts";
import { parseWhole } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";

interface Options {
  topic?: string;
  records?: string;
  format?: FormatName;
  layout?: LayoutName;
  pipeline?: string;
  config?: string;
  limit?: string;
  json?: boolean;
}

const newestByDefault = 10;
/** Who debugs does not wait as a pipeline does. */
const registryWithinMs = 15_000;

export async function decodeCommand(options: Options): Promise<void> {
  if ((options.topic === undefined) === (options.records === undefined))
    throw new LogGuardianError(
      "LG_USAGE",
      "decode reads a topic or a file.",
      "Give either --topic NAME or --records FILE.",
    );
  const limit = options.limit === undefined ? undefined : parseWhole(options.limit, "--limit", 1);
  const config =
    options.pipeline === undefined ? loadConfigOrDefaults(options.config) : loadConfig(options.config);
  const pipeline = options.pipeline === undefined ? undefined : pipelineOf(config, options.pipeline);
  const reading = await readingFor(options, config, pipeline);
  const records =
    options.records !== undefined
      ? (await readCapturedRecords(options.records)).slice(0, limit)
      : await recordsOfTopic(config, options.topic as string, limit ?? newestByDefault);
  await reading.reader.prepare(records).catch((thrown) => {
    if (thrown instanceof LogGuardianError) throw thrown;
    throw new LogGuardianError(
      "LG_REGISTRY_AWAY",
      `The schema registry at ${config.schemaRegistry?.url} does not answer: ${reasonOf(thrown)}.`,
      "Start it, or correct schemaRegistry.url.",
      thrown,
    );
  });
  let [lines, refusals] = [0, 0];
  const show = options.json === true ? showForPrograms : showForPeople;
  for (const record of records) {
    const decoded = decode(record, reading);
    lines += decoded.lines.length;
    if (decoded.error !== undefined) refusals++;
    for (const row of show(decoded)) if (!process.stdout.write(`${row}\n`)) await drained();
  }
  console.error(
    `${counted(records.length, "record")}, ${counted(lines, "line")}${refusals > 0 ? `, ${refusals} for the dead letters` : ""}`,
  );
  if (refusals > 0) process.exitCode = exitCodes.failed;
}

interface Reading {
  format: RecordFormat;
  reader: ReturnType<typeof createLineReader>;
}

/** As the options say, else as the pipeline does. */
async function readingFor(
  options: Options,
  config: Config,
  pipeline: PipelineConfig | undefined,
): Promise<Reading> {
  const manifest = await loadManifest(pipeline?.bundle ?? defaultBundleDir());
  const layout = options.layout ?? pipeline?.layout ?? "none";
  const masker = lineMaskerOf(manifest, { layout, custom: pipeline?.mask?.custom ?? [] });
  const signal = AbortSignal.timeout(registryWithinMs);
  const quiet = { logger: silentLogger, health: createHealth(), signal };
  const topic = pipeline && rawTopicsOf(pipeline).find(({ name }) => name === options.topic);
  const format = createFormat(options.format ?? topic?.format ?? pipeline?.format ?? "auto", {
    fields: topic?.fields ?? (pipeline && fieldsOf(pipeline)),
    registry:
      config.schemaRegistry === undefined ? undefined : createSchemaRegistry(config.schemaRegistry, quiet),
  });
  const key = keySpecOf(pipeline?.key ?? "origin");
  return { format, reader: createLineReader({ format, masker }, { key }) };
}

async function recordsOfTopic(config: Config, topic: string, limit: number): Promise<RawRecord[]> {
  const { brokers } = config.kafka;
  const client = await connectKafka(config.kafka, { logger: silentLogger });
  try {
    // Asks only; nothing is made with these.
    const topics = createTopics(client.admin, { brokers, replicationFactor: 1, retentionMs: 0 });
    return await newestRecords({ client, topics, brokers }, topic, limit);
  } finally {
    await client.close().catch(() => undefined);
  }
}

interface Decoded {
  record: RawRecord;
  format: string;
  /** What says that it is this format. */
  why: string;
  lines: DecodedLine[];
  error?: Error;
}

interface DecodedLine extends KeyedLine {
  timeFrom: TimeFrom;
  /** The time that header or shipper gave, where it is too far ahead of the record's. */
  clamped?: number;
}

function decode(record: RawRecord, { format, reader }: Reading): Decoded {
  const chosen = {
    format: format.name,
    why: format.name === "auto" ? "told by its content" : "as asked for",
  };
  const times: { from: TimeFrom; given: number }[] = [];
  try {
    const { lines } = reader.read(record, {
      observer: {
        onChoice: ({ name, why }) => Object.assign(chosen, { format: name, why }),
        onTime: (from, given) => times.push({ from, given }),
      },
    });
    return {
      record,
      ...chosen,
      lines: lines.map((line, place) => {
        const { from = "record", given = line.time } = times[place] ?? {};
        return { ...line, timeFrom: from, ...(given === line.time ? {} : { clamped: given }) };
      }),
    };
  } catch (thrown) {
    return { record, ...chosen, lines: [], error: thrown as Error };
  }
}

function showForPrograms({ record, format, why, lines, error }: Decoded): string[] {
  const { topic, partition, offset } = record;
  const where = { topic, partition, offset, format, why };
  if (error !== undefined) {
    const code = error instanceof LogGuardianError ? error.code : "LG_UNEXPECTED";
    return [JSON.stringify({ ...where, error: { code, message: error.message } })];
  }
  return lines.map(({ position, text, time, timeFrom, clamped, origin, fileOffset, keys, masked }) =>
    JSON.stringify({
      ...where,
      index: position.index,
      text,
      time: isoOf(time),
      timeFrom,
      ...(clamped === undefined ? {} : { clampedFrom: isoOf(clamped) }),
      origin,
      ...(fileOffset === undefined ? {} : { fileOffset }),
      keys,
      masked,
    }),
  );
}

function showForPeople({ record, format, why, lines, error }: Decoded): string[] {
  const where = `${visible(record.topic)} partition ${record.partition} offset ${record.offset}`;
  const head = `${styleText("bold", where)}  ${format}, ${visible(why)}`;
  if (error !== undefined) {
    const [code, remedy] =
      error instanceof LogGuardianError ? [error.code, ` ${error.remedy}`] : ["LG_UNEXPECTED", ""];
    return [head, `  ${styleText("red", "dead letter")}  ${code}  ${visible(error.message)}${remedy}`];
  }
  if (lines.length === 0) return [head, "  no line: an empty record"];
  return [
    head,
    ...lines.flatMap(({ text, time, timeFrom, clamped, origin, keys, masked }) => [
      `  ${visible(text)}`,
      styleText(
        "dim",
        `    ${isoOf(time)} (${clamped === undefined ? timeFrom : `${timeFrom} said ${isoOf(clamped)}, too far ahead`})  ${visible(JSON.stringify(origin))}  key ${visible(keys.join(", "))}`,
      ),
      styleText("dim", `    seen by the model: ${visible(masked)}`),
      ...(format !== "syslog" && /^<\d{1,3}>/.test(text)
        ? [styleText("dim", "    begins as syslog does: `format: syslog` takes its head apart")]
        : []),
    ]),
  ];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function isoOf(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time);
}

function drained(): Promise<void> {
  return new Promise((resolve) => process.stdout.once("drain", () => resolve()));
}
