import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  type Panel,
  PercentChangeColorMode,
  SortOrder,
  StackingMode,
  ThresholdsMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizOrientation,
} from "@grafana/schema";
import type {
  FieldConfig as HeatmapFieldConfig,
  Options as HeatmapOptions,
} from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen.js";
import type { Options as StatOptions } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen.js";
import type {
  FieldConfig as TimeSeriesFieldConfig,
  Options as TimeSeriesOptions,
} from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen.js";

/** A PromQL expression, and what its series are called (`{{label}}`). */
export type Query = readonly [expr: string, legend: string];

/** What every panel says; its place is the dashboard's to choose. */
export interface PanelText {
  title: string;
  /** What is seen, and what it means where that is not plain. */
  description: string;
  /** One of Grafana's units: `cps` (a second), `s`, `percentunit`, `bytes`, `short`. */
  unit: string;
  /** Columns of 24. */
  width?: number;
}

/** The one that the dashboard's variable chooses. */
export const datasource = { type: "prometheus", uid: "$datasource" };

function targetsOf(queries: readonly Query[], more: Record<string, unknown> = {}): Record<string, unknown>[] {
  return queries.map(([expr, legendFormat], place) => ({
    refId: String.fromCharCode(65 + place),
    expr,
    legendFormat,
    ...more,
  }));
}

/** Lines over time; `stacked`: areas that add up. */
export function timeSeries(
  { title, description, unit, width = 8 }: PanelText,
  queries: readonly Query[],
  { stacked = false }: { stacked?: boolean } = {},
): Panel {
  const options: TimeSeriesOptions = {
    legend: { showLegend: true, displayMode: LegendDisplayMode.List, placement: "bottom", calcs: [] },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
  };
  const custom: TimeSeriesFieldConfig = {
    drawStyle: GraphDrawStyle.Line,
    fillOpacity: stacked ? 40 : 8,
    showPoints: VisibilityMode.Never,
    stacking: { mode: stacked ? StackingMode.Normal : StackingMode.None },
  };
  return {
    type: "timeseries",
    title,
    description,
    datasource,
    gridPos: { x: 0, y: 0, w: width, h: 8 },
    fieldConfig: { defaults: { unit, min: 0, custom: { ...custom } }, overrides: [] },
    options: { ...options },
    targets: targetsOf(queries),
  };
}

/** One number now, red from `bad` on. */
export function stat(
  { title, description, unit, width = 4 }: PanelText,
  query: Query,
  { bad }: { bad?: number } = {},
): Panel {
  const options: StatOptions = {
    colorMode: bad === undefined ? BigValueColorMode.None : BigValueColorMode.Background,
    graphMode: BigValueGraphMode.Area,
    justifyMode: BigValueJustifyMode.Auto,
    orientation: VizOrientation.Auto,
    percentChangeColorMode: PercentChangeColorMode.Standard,
    reduceOptions: { calcs: ["lastNotNull"], values: false },
    showPercentChange: false,
    textMode: BigValueTextMode.Auto,
    wideLayout: true,
  };
  // In JSON the first step's value is null, as Grafana writes it.
  const good = { color: "green", value: Number.NEGATIVE_INFINITY };
  const steps = bad === undefined ? [good] : [good, { color: "red", value: bad }];
  return {
    type: "stat",
    title,
    description,
    datasource,
    gridPos: { x: 0, y: 0, w: width, h: 4 },
    fieldConfig: {
      defaults: { unit, thresholds: { mode: ThresholdsMode.Absolute, steps } },
      overrides: [],
    },
    options: { ...options },
    targets: targetsOf([query]),
  };
}

/** A histogram's buckets over time, darker where more falls into one. `expr` is by `le`. */
export function heatmap({ title, description, unit, width = 12 }: PanelText, expr: string): Panel {
  const options: HeatmapOptions = {
    calculate: false,
    color: { exponent: 0.5, fill: "dark-orange", reverse: false, scheme: "Oranges", steps: 64 },
    exemplars: { color: "rgba(255,0,255,0.7)" },
    filterValues: { le: 1e-9 },
    legend: { show: true },
    showValue: VisibilityMode.Never,
    tooltip: { mode: TooltipDisplayMode.Single, yHistogram: true },
    yAxis: { axisPlacement: AxisPlacement.Left, unit },
  };
  const custom: HeatmapFieldConfig = { hideFrom: { legend: false, tooltip: false, viz: false } };
  return {
    type: "heatmap",
    title,
    description,
    datasource,
    gridPos: { x: 0, y: 0, w: width, h: 8 },
    fieldConfig: { defaults: { custom: { ...custom } }, overrides: [] },
    options: { ...options },
    targets: targetsOf([[expr, "{{le}}"]], { format: "heatmap" }),
  };
}

/** Half, nineteen of twenty and all but one of a hundred, of a histogram in seconds. `by`: labels beside `le`. */
export function quantiles(metric: string, selector: string, by: string): Query[] {
  const buckets = `sum by (${by}, le) (rate(logguardian_${metric}_bucket{${selector}}[$__rate_interval]))`;
  return [0.5, 0.95, 0.99].map(
    (quantile): Query => [`histogram_quantile(${quantile}, ${buckets})`, `{{${by}}} p${quantile * 100}`],
  );
}
