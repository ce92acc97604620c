/** A saved object as a line of Kibana's import holds it; Kibana 8.9 and later bring it up to their own form. */
export interface SavedObject {
  type: "index-pattern" | "lens" | "search" | "dashboard";
  id: string;
  attributes: Record<string, unknown>;
  references: { type: string; id: string; name: string }[];
  coreMigrationVersion: string;
  typeMigrationVersion: string;
}

/** What Lens asks of Elasticsearch for one column. */
export interface Column {
  label: string;
  customLabel: true;
  dataType: "string" | "number" | "date";
  operationType: string;
  sourceField: string;
  isBucketed: boolean;
  scale: "ordinal" | "interval" | "ratio";
  params?: Record<string, unknown>;
}

export const dataViewId = "logguardian-anomalies";

const layerId = "windows";
const named = (label: string) => ({ label, customLabel: true }) as const;

/** The commonest values of a field, by a metric of the same chart. */
export function terms(sourceField: string, label: string, options: { size: number; by: string }): Column {
  return {
    ...named(label),
    dataType: "string",
    operationType: "terms",
    sourceField,
    isBucketed: true,
    scale: "ordinal",
    params: {
      size: options.size,
      orderBy: { type: "column", columnId: options.by },
      orderDirection: "desc",
      otherBucket: false,
      missingBucket: false,
      parentFormat: { id: "terms" },
    },
  };
}

export function overTime(): Column {
  return {
    ...named("Time"),
    dataType: "date",
    operationType: "date_histogram",
    sourceField: "@timestamp",
    isBucketed: true,
    scale: "interval",
    params: { interval: "auto", includeEmptyRows: true, dropPartials: false },
  };
}

/** A number's distribution, in steps that Kibana chooses. */
export function histogram(sourceField: string, label: string): Column {
  return {
    ...named(label),
    dataType: "number",
    operationType: "range",
    sourceField,
    isBucketed: true,
    scale: "interval",
    params: { type: "histogram", ranges: [{ from: 0, to: 1000, label: "" }], maxBars: "auto" },
  };
}

export function count(label: string): Column {
  return {
    ...named(label),
    dataType: "number",
    operationType: "count",
    sourceField: "___records___",
    isBucketed: false,
    scale: "ratio",
    params: { emptyAsNull: false },
  };
}

export function metric(operationType: "max" | "unique_count", sourceField: string, label: string): Column {
  return {
    ...named(label),
    dataType: "number",
    operationType,
    sourceField,
    isBucketed: false,
    scale: "ratio",
  };
}

/** The newest time. */
export function lastSeen(): Column {
  return {
    ...named("Last seen"),
    dataType: "date",
    operationType: "last_value",
    sourceField: "@timestamp",
    isBucketed: false,
    scale: "ratio",
    params: { sortField: "@timestamp", showArrayValues: false },
  };
}

interface Chart {
  id: string;
  title: string;
  description: string;
  /** In Kibana's query language: which verdicts. */
  query: string;
  /** By the names that the chart's parts are told by. */
  columns: Readonly<Record<string, Column>>;
}

/** Bars over `x`, of `y`, in the colours of `split`. */
export function bars(
  chart: Chart,
  { x, y, split, horizontal = false }: { x: string; y: string; split?: string; horizontal?: boolean },
): SavedObject {
  const seriesType = horizontal ? "bar_horizontal" : "bar_stacked";
  return lens(chart, "lnsXY", {
    legend: { isVisible: true, position: "right" },
    valueLabels: "hide",
    preferredSeriesType: seriesType,
    layers: [
      {
        layerId,
        layerType: "data",
        seriesType,
        xAccessor: x,
        accessors: [y],
        ...(split === undefined ? {} : { splitAccessor: split }),
      },
    ],
  });
}

export function table(chart: Chart): SavedObject {
  return lens(chart, "lnsDatatable", {
    layerId,
    layerType: "data",
    columns: Object.keys(chart.columns).map((columnId) => ({ columnId })),
  });
}

/** One number. */
export function number(chart: Chart, of: string): SavedObject {
  return lens(chart, "lnsMetric", { layerId, layerType: "data", metricAccessor: of });
}

function lens(
  { id, title, description, query, columns }: Chart,
  visualizationType: string,
  visualization: object,
): SavedObject {
  return {
    type: "lens",
    id,
    attributes: {
      title,
      description,
      visualizationType,
      state: {
        visualization,
        query: { query, language: "kuery" },
        filters: [],
        datasourceStates: {
          formBased: {
            layers: { [layerId]: { columns, columnOrder: Object.keys(columns), incompleteColumns: {} } },
          },
        },
        internalReferences: [],
        adHocDataViews: {},
      },
    },
    references: [{ type: "index-pattern", id: dataViewId, name: `indexpattern-datasource-layer-${layerId}` }],
    coreMigrationVersion: "8.8.0",
    typeMigrationVersion: "8.9.0",
  };
}
