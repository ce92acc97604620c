import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Column, dataViewId } from "../../monitoring/kibana/lens.ts";
import { savedObjects } from "../../monitoring/kibana/objects.ts";
import { simulateHdfs } from "../../src/simulate/hdfs.ts";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { connectTransforms, type Elasticsearch, startElasticsearch } from "../support/elasticsearch.ts";
import { services } from "../support/services.ts";
import { Stream } from "../support/stream.ts";
import { folder } from "./queries.ts";

type Complete<T> = T extends [string]
  ? T
  : T extends (infer Item)[]
    ? Complete<Item>[]
    : T extends object
      ? { [Name in keyof T]-?: Complete<T[Name]> }
      : T;

/** With every field that a verdict can have: a new one in `Anomaly` is missing here, for tsc to see. */
const complete: Complete<Anomaly> = {
  "@timestamp": "2026-11-24T02:00:09.500Z",
  message: "Anomalous: 1 lines of blk_1, score 0.990",
  event: {
    kind: "alert",
    category: ["process"],
    id: "complete",
    severity: 99,
    start: "2026-11-24T02:00:00.000Z",
    end: "2026-11-24T02:00:09.500Z",
  },
  host: { name: "node-9" },
  log: { file: { path: "/var/log/hdfs.log" } },
  logguardian: {
    verdict: "anomalous",
    reason: "LG_SCORER_CRASHED",
    revision: 3,
    early: "raised",
    movedTo: "another",
    pipeline: "hdfs",
    replay: "label",
    key: "blk_1",
    model: { name: "starter", version: "1.1.0" },
    score: 0.99,
    margin: 4.5,
    threshold: 0.4549,
    novelty: 0.2,
    fingerprint: "0123456789abcdef",
    window: { lines: 1, scored: 1, closed: "gap" },
    lines: [
      {
        text: "Exception in receiveBlock for block blk_1",
        masked: "Exception in receiveBlock for block <*>",
        time: "2026-11-24T02:00:09.500Z",
        weight: 3.5,
        novelty: 0.2,
        host: "node-9",
        file: "/var/log/hdfs.log",
        pod: "datanode-0",
        container: "datanode",
        position: "raw-hdfs:0:17:0",
      },
    ],
  },
};

const index = "logguardian.anomalies";
const template = JSON.parse(readFileSync(join(folder, "elasticsearch/index-template.json"), "utf8"));
const stream = new Stream(services, `test-elasticsearch-${Date.now()}`);
let elasticsearch: Elasticsearch;
/** As the detector published them, normal ones among them, and one that it could not judge. */
let published: Anomaly[];

beforeAll(async () => {
  elasticsearch = await startElasticsearch();
  await elasticsearch.ask("PUT", "_index_template/logguardian-anomalies", template);
  published = await publish();
  const [first] = published;
  if (first === undefined) throw new Error("Nothing was published.");
  const { fingerprint: _, novelty: __, ...rest } = first.logguardian;
  published.push({
    ...first,
    event: { ...first.event, id: "undecided", severity: 0 },
    logguardian: { ...rest, verdict: "undecided", score: null, margin: null, reason: "LG_SCORER_CRASHED" },
  });
});

afterAll(async () => {
  stream.abandon();
  await elasticsearch?.stop();
});

/** All verdicts on simulated logs of three hosts, as they stand on the topic. */
async function publish(): Promise<Anomaly[]> {
  const topic = `${stream.prefix}-raw`;
  const pipeline = {
    topics: [topic],
    from: "earliest",
    format: "filebeat",
    layout: "hdfs",
    key: { pattern: "blk_-?\\d+" },
    window: { kind: "session", gap: "6s" },
    partitions: 1,
    publish: "all",
  };
  stream.configure({ pipelines: { hdfs: pipeline } });
  await stream.createTopic(topic, 1);
  const simulation = simulateHdfs({ rate: 300, faultRate: 0.3, seed: 3, lines: 900, start: 1e12 });
  const messages = [...simulation.lines].map(({ text, block }, offset) => ({
    value: JSON.stringify({
      host: { name: `node-${Number(block.at(-1)) % 3}` },
      log: { file: { path: "/var/log/hdfs.log" }, offset },
      message: text,
    }),
  }));
  const producer = stream.kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
  await stream.start();
  await stream.command(["flush", "--pipeline", "hdfs"]);
  const verdicts = await stream.verdicts(simulation.labels.size, { timeoutMs: 120_000 });
  return [...new Map(verdicts.map((one) => [one.event.id, one])).values()];
}

describe("the index template", () => {
  it("has each field of a verdict, and no other", () => {
    expect(fieldsOfMapping(template.template.mappings).sort()).toEqual(
      [...new Set(fieldsOf(complete))].sort(),
    );
  });

  it("takes whatever the detector publishes, and leaves no field to be guessed", async () => {
    const { settings, mappings } = template.template;
    const strict = { settings, mappings: { ...mappings, dynamic: "strict" } };
    await elasticsearch.ask("PUT", "strict", strict);
    const documents = [complete, ...published].map((document) => ({
      id: document.event.id,
      version: 1,
      document,
    }));
    await elasticsearch.write("strict", documents);
    expect(await elasticsearch.ask("GET", "strict/_count")).toMatchObject({ count: published.length + 1 });
    const newer = { ...complete, another: { field: 1 } };
    await expect(elasticsearch.ask("PUT", "strict/_doc/newer", newer)).rejects.toThrow(
      "strict_dynamic_mapping",
    );
  });

  it("is that of the index that the connector makes, and keeps what a later version adds", async () => {
    const newer = { ...complete, event: { ...complete.event, id: "newer" }, another: { field: 1 } };
    await elasticsearch.ask("PUT", `${index}/_doc/newer?refresh=true`, newer);
    const { [index]: made } = (await elasticsearch.ask("GET", `${index}/_mapping`)) as Record<
      string,
      { mappings: unknown }
    >;
    expect(fieldsOfMapping(made?.mappings).sort()).toEqual(
      fieldsOfMapping(template.template.mappings).sort(),
    );
    expect(await elasticsearch.ask("GET", `${index}/_doc/newer`)).toMatchObject({ _source: newer });
    await elasticsearch.ask("DELETE", `${index}/_doc/newer?refresh=true`);
  });
});

describe("the connector", () => {
  it("names documents by the verdict's id, so that repeats and revisions overwrite, and changes nothing", async () => {
    const raised: Anomaly = { ...complete, event: { ...complete.event, id: "early" } };
    const final: Anomaly = {
      ...raised,
      logguardian: { ...raised.logguardian, revision: 4, early: "withdrawn", verdict: "normal" },
    };
    // The topic may repeat what it held, as a detector does that died before its commit.
    const topic = [...published, raised, ...published, raised, final];
    const sink = connectTransforms(
      join(folder, "elasticsearch/connect-sink.json"),
      topic.map((anomaly) => JSON.stringify(anomaly)),
    );
    expect(sink.map(({ id }) => id)).toEqual(topic.map(({ event }) => event.id));
    expect(sink.map(({ document }) => document)).toEqual(topic);
    // The connector's version is the record's offset.
    await elasticsearch.write(
      index,
      sink.map(({ id, document }, offset) => ({ id, version: offset + 1, document })),
    );
    const ids = new Set(topic.map(({ event }) => event.id));
    expect(await elasticsearch.ask("GET", `${index}/_count`)).toMatchObject({ count: ids.size });
    expect(await elasticsearch.ask("GET", `${index}/_doc/early`)).toMatchObject({ _source: final });
  });
});

describe("Kibana's saved objects", () => {
  it("refer only to what is imported before them", () => {
    const before = new Set<string>();
    for (const { type, id, references } of savedObjects) {
      for (const reference of references) expect(before, id).toContain(`${reference.type} ${reference.id}`);
      before.add(`${type} ${id}`);
    }
    expect(before.size).toBe(savedObjects.length);
    const dataView = savedObjects.find(({ id }) => id === dataViewId);
    expect(template.index_patterns).toEqual([dataView?.attributes.title]);
    const dashboard = savedObjects.at(-1);
    const panels = JSON.parse(String(dashboard?.attributes.panelsJSON)) as {
      panelIndex: string;
      panelRefName: string;
    }[];
    expect(panels.map(({ panelIndex, panelRefName }) => `${panelIndex}:${panelRefName}`)).toEqual(
      dashboard?.references.map(({ name }) => name),
    );
  });

  it("show fields that the index has", () => {
    const fields = fieldsOfMapping(template.template.mappings);
    for (const { type, attributes } of savedObjects)
      if (type === "search") expect(fields).toEqual(expect.arrayContaining(attributes.columns as string[]));
  });

  it.each(savedObjects.filter(({ type }) => type === "lens"))(
    "give data for $attributes.title",
    async ({ attributes }) => {
      await elasticsearch.ask("PUT", `${index}/_doc/complete?refresh=true`, complete);
      const { query, datasourceStates } = attributes.state as {
        query: { query: string };
        datasourceStates: { formBased: { layers: { windows: { columns: Record<string, Column> } } } };
      };
      const { columns } = datasourceStates.formBased.layers.windows;
      const answer = (await elasticsearch.ask("POST", `${index}/_search`, {
        size: 0,
        query: termOf(query.query),
        aggs: aggregationsOf(columns),
      })) as { hits: { total: { value: number } }; aggregations?: Record<string, unknown> };
      expect(answer.hits.total.value).toBeGreaterThan(0);
      for (const [name, { operationType }] of Object.entries(columns))
        if (operationType !== "count")
          expect(valuesOf(answer.aggregations, name).length, name).toBeGreaterThan(0);
    },
  );
});

/** Paths of all leaves; of a list those of its items. */
function fieldsOf(value: unknown, path: string[] = []): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => fieldsOf(item, path));
  if (typeof value !== "object" || value === null) return [path.join(".")];
  return Object.entries(value).flatMap(([name, inner]) => fieldsOf(inner, [...path, name]));
}

function fieldsOfMapping(mapping: unknown, path: string[] = []): string[] {
  const { properties } = mapping as { properties?: Record<string, unknown> };
  if (properties === undefined) return [path.join(".")];
  return Object.entries(properties).flatMap(([name, inner]) => fieldsOfMapping(inner, [...path, name]));
}

/** What Kibana asks for a query of one field and one value, or of none. */
function termOf(query: string): object {
  if (query === "") return { match_all: {} };
  const [, field = "", value] = /^([\w.]+) : "(\w+)"$/.exec(query) ?? [];
  expect(value, query).toBeDefined();
  return { term: { [field]: value } };
}

/** What Kibana asks for the columns of a chart: those with buckets within each other, the others in the innermost. */
function aggregationsOf(columns: Readonly<Record<string, Column>>): object {
  const all = Object.entries(columns);
  const metrics = all.filter(([, { isBucketed, operationType }]) => !isBucketed && operationType !== "count");
  const innermost = Object.fromEntries(
    metrics.map(([name, column]) => [name, aggregationOf(column, columns)]),
  );
  return all
    .filter(([, { isBucketed }]) => isBucketed)
    .reduceRight<object>(
      (inner, [name, column]) => ({ [name]: { ...aggregationOf(column, columns), aggs: inner } }),
      innermost,
    );
}

function aggregationOf({ operationType, sourceField: field, params }: Column, columns: object): object {
  switch (operationType) {
    case "terms": {
      const { size, orderBy } = params as { size: number; orderBy: { columnId: keyof typeof columns } };
      expect((columns[orderBy.columnId] as Column | undefined)?.operationType).toBe("count");
      return { terms: { field, size } };
    }
    case "date_histogram":
      return { date_histogram: { field, fixed_interval: "1d", min_doc_count: 1 } };
    case "range":
      return { histogram: { field, interval: 0.05, min_doc_count: 1 } };
    case "unique_count":
      return { cardinality: { field } };
    // The newest time is what Kibana finds as the last value of the time field.
    case "last_value":
    case "max":
      return { max: { field } };
    default:
      throw new Error(`Nobody has told this test what ${operationType} asks.`);
  }
}

/** The values that an aggregation gives, or its buckets, wherever it stands; nulls and zeros left out. */
function valuesOf(answer: unknown, name: string): unknown[] {
  if (typeof answer !== "object" || answer === null) return [];
  return Object.entries(answer).flatMap(([key, inner]) => {
    if (key !== name) return valuesOf(inner, name);
    const { buckets, value } = inner as { buckets?: unknown[]; value?: number | null };
    return buckets ?? (value ? [value] : []);
  });
}
