import {
  bars,
  count,
  dataViewId,
  histogram,
  lastSeen,
  metric,
  number,
  overTime,
  type SavedObject,
  table,
  terms,
} from "./lens.ts";

const anomalous = 'logguardian.verdict : "anomalous"';

const dataView: SavedObject = {
  type: "index-pattern",
  id: dataViewId,
  attributes: {
    title: "logguardian.anomalies*",
    name: "LogGuardian anomalies",
    timeFieldName: "@timestamp",
    fieldFormatMap: JSON.stringify({
      "logguardian.score": { id: "percent", params: { pattern: "0.0 %" } },
      "logguardian.threshold": { id: "percent", params: { pattern: "0.0 %" } },
    }),
    fieldAttrs: "{}",
    fields: "[]",
    runtimeFieldMap: "{}",
    sourceFilters: "[]",
    typeMeta: "{}",
  },
  references: [],
  coreMigrationVersion: "8.8.0",
  typeMigrationVersion: "8.0.0",
};

const newest: SavedObject = {
  type: "search",
  id: "logguardian-newest",
  attributes: {
    title: "LogGuardian: newest anomalies",
    description: "Open one to see its lines, raw and masked, with their weights.",
    columns: [
      "logguardian.pipeline",
      "host.name",
      "logguardian.key",
      "logguardian.score",
      "logguardian.novelty",
      "logguardian.lines.text",
    ],
    sort: [["@timestamp", "desc"]],
    grid: {},
    hideChart: true,
    isTextBasedQuery: false,
    kibanaSavedObjectMeta: {
      searchSourceJSON: JSON.stringify({
        query: { query: anomalous, language: "kuery" },
        filter: [],
        highlightAll: true,
        version: true,
        indexRefName: "kibanaSavedObjectMeta.searchSourceJSON.index",
      }),
    },
  },
  references: [
    { type: "index-pattern", id: dataViewId, name: "kibanaSavedObjectMeta.searchSourceJSON.index" },
  ],
  coreMigrationVersion: "8.8.0",
  typeMigrationVersion: "8.0.0",
};

/** With their places on the dashboard, of 48 columns. */
const placed: [object: SavedObject, x: number, y: number, w: number, h: number][] = [
  [
    number(
      {
        id: "logguardian-anomalous",
        title: "Anomalous windows",
        description: "In the time chosen.",
        query: anomalous,
        columns: { windows: count("Anomalous windows") },
      },
      "windows",
    ),
    0,
    0,
    12,
    8,
  ],
  [
    number(
      {
        id: "logguardian-kinds",
        title: "Kinds",
        description: "Fingerprints: windows that the same masked lines made anomalous.",
        query: anomalous,
        columns: { kinds: metric("unique_count", "logguardian.fingerprint", "Kinds") },
      },
      "kinds",
    ),
    12,
    0,
    12,
    8,
  ],
  [
    number(
      {
        id: "logguardian-hosts-hit",
        title: "Hosts",
        description: "With at least one anomalous window that is wholly theirs.",
        query: anomalous,
        columns: { hosts: metric("unique_count", "host.name", "Hosts") },
      },
      "hosts",
    ),
    24,
    0,
    12,
    8,
  ],
  [
    number(
      {
        id: "logguardian-undecided",
        title: "Undecided windows",
        description: "That the model could not be asked about: logguardian.reason says why.",
        query: 'logguardian.verdict : "undecided"',
        columns: { windows: count("Undecided windows") },
      },
      "windows",
    ),
    36,
    0,
    12,
    8,
  ],
  [
    bars(
      {
        id: "logguardian-over-time",
        title: "Anomalies over time",
        description: "Windows by the event time of their last line.",
        query: anomalous,
        columns: {
          pipelines: terms("logguardian.pipeline", "Pipeline", { size: 10, by: "windows" }),
          time: overTime(),
          windows: count("Windows"),
        },
      },
      { x: "time", y: "windows", split: "pipelines" },
    ),
    0,
    8,
    32,
    14,
  ],
  [
    bars(
      {
        id: "logguardian-scores",
        title: "Scores",
        description: "Of everything published: only anomalous windows unless the pipeline publishes all.",
        query: "",
        columns: { scores: histogram("logguardian.score", "Score"), windows: count("Windows") },
      },
      { x: "scores", y: "windows" },
    ),
    32,
    8,
    16,
    14,
  ],
  [
    table({
      id: "logguardian-fingerprints",
      title: "Kinds of anomaly",
      description: "`logguardian explain --patterns` shows what the windows of a kind share.",
      query: anomalous,
      columns: {
        kinds: terms("logguardian.fingerprint", "Kind", { size: 25, by: "windows" }),
        windows: count("Windows"),
        hosts: metric("unique_count", "host.name", "Hosts"),
        score: metric("max", "logguardian.score", "Highest score"),
        novelty: metric("max", "logguardian.novelty", "Highest novelty"),
        seen: lastSeen(),
      },
    }),
    0,
    22,
    24,
    16,
  ],
  [
    table({
      id: "logguardian-lines",
      title: "Lines in anomalous windows",
      description: "Masked, by how many windows hold them. What always is there is the usual; look below it.",
      query: anomalous,
      columns: {
        lines: terms("logguardian.lines.masked", "Masked line", { size: 50, by: "windows" }),
        windows: count("Windows"),
      },
    }),
    24,
    22,
    24,
    16,
  ],
  [
    bars(
      {
        id: "logguardian-hosts",
        title: "Hosts by anomalies",
        description: "Windows whose lines are all of one host.",
        query: anomalous,
        columns: {
          hosts: terms("host.name", "Host", { size: 20, by: "windows" }),
          windows: count("Windows"),
        },
      },
      { x: "hosts", y: "windows", horizontal: true },
    ),
    0,
    38,
    16,
    16,
  ],
  [newest, 16, 38, 32, 16],
];

const dashboard: SavedObject = {
  type: "dashboard",
  id: "logguardian",
  attributes: {
    title: "LogGuardian anomalies",
    description: "What is anomalous: when, where, of which kind, and the lines that made it.",
    timeRestore: true,
    timeFrom: "now-24h",
    timeTo: "now",
    refreshInterval: { pause: false, value: 60_000 },
    version: 1,
    kibanaSavedObjectMeta: {
      searchSourceJSON: JSON.stringify({ query: { query: "", language: "kuery" }, filter: [] }),
    },
    optionsJSON: JSON.stringify({
      useMargins: true,
      syncColors: true,
      syncCursor: true,
      syncTooltips: false,
      hidePanelTitles: false,
    }),
    panelsJSON: JSON.stringify(
      placed.map(([{ id, type }, x, y, w, h]) => ({
        version: "8.9.0",
        type,
        panelIndex: id,
        gridData: { x, y, w, h, i: id },
        embeddableConfig: { enhancements: {} },
        panelRefName: `panel_${id}`,
      })),
    ),
  },
  references: placed.map(([{ id, type }]) => ({ type, id, name: `${id}:panel_${id}` })),
  coreMigrationVersion: "8.8.0",
  typeMigrationVersion: "8.9.0",
};

/** In the order of import: what is referred to comes first. */
export const savedObjects: readonly SavedObject[] = [
  dataView,
  ...placed.map(([object]) => object),
  dashboard,
];
