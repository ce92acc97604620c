import { dashboardOf, variable } from "../dashboard.ts";
import { heatmap, quantiles, timeSeries } from "../panels.ts";

const of = 'pipeline=~"$pipeline", model=~"$model"';
const ofPipeline = 'pipeline=~"$pipeline"';

function increaseByBucket(metric: string, selector = of): string {
  return `sum by (le) (increase(logguardian_${metric}_bucket{${selector}}[$__rate_interval]))`;
}

/** What the model says, how sure it is, how fast, and whether that changes. */
export const verdicts = dashboardOf(
  {
    uid: "logguardian-verdicts",
    title: "LogGuardian verdicts",
    description: "What the model says, how sure it is, how fast, and whether that changes.",
  },
  [variable("pipeline", "logguardian_consumer_lag"), variable("model", "logguardian_score_count")],
  [
    {
      title: "Verdicts",
      panels: [
        timeSeries(
          { title: "Verdicts", description: "Windows judged, by verdict.", unit: "cps", width: 12 },
          [
            [
              `sum by (pipeline, verdict) (rate(logguardian_verdicts_total{${ofPipeline}}[$__rate_interval]))`,
              "{{pipeline}} {{verdict}}",
            ],
          ],
          { stacked: true },
        ),
        timeSeries(
          {
            title: "Share of windows that are anomalous",
            description: "Of a quarter of an hour, and of the day before it.",
            unit: "percentunit",
            width: 12,
          },
          [
            [`pipeline:logguardian_anomalies:ratio15m{${ofPipeline}}`, "{{pipeline}}"],
            [`pipeline:logguardian_anomalies:ratio1d{${ofPipeline}}`, "{{pipeline}} the day before"],
          ],
        ),
      ],
    },
    {
      title: "Scores and drift",
      panels: [
        heatmap(
          {
            title: "Scores",
            description: "How many windows have which score. A model that is sure leaves the middle empty.",
            unit: "percentunit",
          },
          increaseByBucket("score"),
        ),
        heatmap(
          {
            title: "Novelty",
            description: "How unlike all lines of training each window's most unlike line is, 0 to 2.",
            unit: "short",
          },
          increaseByBucket("novelty"),
        ),
        timeSeries(
          {
            title: "Mean score",
            description: "Of the windows judged.",
            unit: "percentunit",
            width: 12,
          },
          [
            [
              `sum by (pipeline, model) (rate(logguardian_score_sum{${of}}[$__rate_interval])) / sum by (pipeline, model) (rate(logguardian_score_count{${of}}[$__rate_interval]))`,
              "{{pipeline}} {{model}}",
            ],
          ],
        ),
        timeSeries(
          {
            title: "Drift",
            description:
              "How far the last hour's distribution lies from the last week's (Kolmogorov-Smirnov's statistic). Above 0.2 for an hour alerts; shown from 200 windows an hour and 2,000 before on.",
            unit: "percentunit",
            width: 12,
          },
          [
            [`pipeline_model:logguardian_score:drift{${of}}`, "{{pipeline}} {{model}} score"],
            [`pipeline_model:logguardian_novelty:drift{${of}}`, "{{pipeline}} {{model}} novelty"],
          ],
        ),
      ],
    },
    {
      title: "The next bundle",
      panels: [
        timeSeries(
          {
            title: "Windows of the next bundle",
            description:
              "Judged beside the live one, by what would change. Left out: it is too slow, take a smaller next.share.",
            unit: "cps",
            width: 12,
          },
          [
            [
              `sum by (pipeline, outcome) (rate(logguardian_shadow_windows_total{${ofPipeline}}[$__rate_interval]))`,
              "{{pipeline}} {{outcome}}",
            ],
          ],
          { stacked: true },
        ),
        heatmap(
          {
            title: "Difference of scores",
            description: "How far apart the scores of the live and the next bundle are.",
            unit: "percentunit",
          },
          increaseByBucket("shadow_score_difference", ofPipeline),
        ),
      ],
    },
    {
      title: "How fast the model is",
      panels: [
        timeSeries(
          { title: "Time of a batch", description: "To judge one batch of windows.", unit: "s" },
          quantiles("model_inference_seconds", ofPipeline, "pipeline"),
        ),
        timeSeries(
          {
            title: "Batches",
            description: "Judged. One process does one at a time: with the time of a batch, how busy it is.",
            unit: "cps",
          },
          [
            [
              `sum by (pipeline) (rate(logguardian_model_inference_seconds_count{${ofPipeline}}[$__rate_interval]))`,
              "{{pipeline}}",
            ],
          ],
        ),
        timeSeries(
          {
            title: "Busy",
            description:
              "Share of its time that each detector spends judging. Near 100 %: start more of them.",
            unit: "percentunit",
          },
          [
            [
              `sum by (pipeline, instance) (rate(logguardian_model_inference_seconds_sum{${ofPipeline}}[$__rate_interval]))`,
              "{{pipeline}} {{instance}}",
            ],
          ],
        ),
      ],
    },
    {
      title: "Caches",
      panels: [
        timeSeries(
          {
            title: "Cache hits",
            description:
              "Share of requests that the line and the verdict cache answered. Falls with new lines.",
            unit: "percentunit",
          },
          [
            [
              `sum by (pipeline, cache) (rate(logguardian_cache_requests{${ofPipeline}, result="hit"}[$__rate_interval])) / sum by (pipeline, cache) (rate(logguardian_cache_requests{${ofPipeline}}[$__rate_interval]))`,
              "{{pipeline}} {{cache}}",
            ],
          ],
        ),
        timeSeries(
          {
            title: "Cache size",
            description: "Bytes that the caches hold; bounded by inference.lineCache and verdictCache.",
            unit: "bytes",
          },
          [[`sum by (pipeline, cache) (logguardian_cache_bytes{${ofPipeline}})`, "{{pipeline}} {{cache}}"]],
        ),
        timeSeries(
          {
            title: "Cache evictions",
            description: "Entries given up for others. Many: larger caches.",
            unit: "cps",
          },
          [
            [
              `sum by (pipeline, cache) (rate(logguardian_cache_evictions{${ofPipeline}}[$__rate_interval]))`,
              "{{pipeline}} {{cache}}",
            ],
          ],
        ),
      ],
    },
  ],
);
