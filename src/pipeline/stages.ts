import { fieldsOf, rawTopicsOf } from "../config/load.ts";
import type { PipelineConfig } from "../config/pipeline-schema.ts";
import { LogGuardianError } from "../errors.ts";
import { createFormatByTopic } from "../ingest/formats/by-topic.ts";
import { createFormat, type RecordFormat } from "../ingest/formats/index.ts";
import type { KeySpec } from "../ingest/keys.ts";
import type { LayoutSpec } from "../ingest/layouts.ts";
import { createLineMasker, createLineReader, type LineMasker } from "../ingest/line-reader.ts";
import type { SchemaRegistry } from "../ingest/schema-registry.ts";
import { type CustomPattern, createMasker } from "../mask/masker.ts";
import type { Manifest } from "../model/manifest.ts";
import { createMemoryStore } from "../window/memory-store.ts";
import {
  createPartitionWindower,
  type OpenLimits,
  type PartitionWindower,
} from "../window/partition-windower.ts";
import { problemOfTime } from "../window/time.ts";
import type { WindowSpec } from "../window/window.ts";
import { createDetector, type Detector } from "./detector.ts";
import { createIngester, type Ingester } from "./ingester.ts";
import type { OpenModel } from "./open-model.ts";

export interface StageOptions {
  pipeline: string;
  format: RecordFormat;
  layout: LayoutSpec;
  custom?: readonly CustomPattern[];
  key: KeySpec;
  window: WindowSpec;
  /** Of open windows; none by default. */
  limits?: OpenLimits;
  /** Windows judged together at most. */
  batchWindows: number;
}

/** The three stages in one process, set up as the model's bundle asks. @throws LogGuardianError LG_WINDOW_SPEC. */
export function createStages(
  model: OpenModel,
  options: StageOptions,
): { ingester: Ingester; windower: PartitionWindower; detector: Detector } {
  const { manifest } = model.bundle;
  checkWindow(options.window, manifest.window.maxLines);
  const masker = lineMaskerOf(manifest, { layout: options.layout, custom: options.custom ?? [] });
  const reader = createLineReader({ format: options.format, masker }, { key: options.key });
  return {
    ingester: createIngester({ reader }, { partitions: 1 }),
    windower: createPartitionWindower(
      { store: createMemoryStore() },
      {
        pipeline: options.pipeline,
        spec: options.window,
        ...(options.limits === undefined ? {} : { limits: options.limits }),
      },
    ),
    detector: createDetector(
      { judge: model.judge, model: { name: manifest.name, version: manifest.version } },
      { batchWindows: options.batchWindows },
    ),
  };
}

/** How a pipeline's records are read, whichever of its topics they come from. @throws LogGuardianError LG_REGISTRY_MISSING. */
export function formatOf(options: PipelineConfig, registry: SchemaRegistry | undefined): RecordFormat {
  const formats = rawTopicsOf(options).map(
    ({ name, format, fields }) => [name, createFormat(format, { fields, registry })] as const,
  );
  const others = createFormat(options.format, { fields: fieldsOf(options), registry });
  return createFormatByTopic(new Map(formats), others);
}

/** Masks lines as a bundle asks, after what the pipeline itself masks. @throws LogGuardianError LG_MASK_PATTERN. */
export function lineMaskerOf(
  { text }: Manifest,
  { layout, custom = [] }: { layout: LayoutSpec; custom?: readonly CustomPattern[] },
): LineMasker {
  const masker = createMasker({ profile: text.maskProfile, custom });
  return createLineMasker({ masker }, { layout, template: text.template });
}

/** @throws LogGuardianError LG_WINDOW_SPEC where the window cannot be, or the model cannot take it. */
export function checkWindow(window: WindowSpec, maxLines: number): void {
  const refuse = (what: string, remedy: string) => new LogGuardianError("LG_WINDOW_SPEC", what, remedy);
  if (window.kind === "session") {
    if (window.gapMs > 0 && window.maxLines >= 1) return;
    throw refuse("A session's gap and most lines must be positive.", "Give a gap such as 30m or 24h.");
  }
  if (window.kind === "time") {
    const what = problemOfTime(window);
    if (what === undefined) return;
    throw refuse(`A time window's slide ${what}.`, "Give span and slide such as 10m/5m.");
  }
  const { size, stride } = window;
  if (!Number.isInteger(size) || !Number.isInteger(stride) || size < 1 || stride < 1 || stride > size) {
    throw refuse(
      `A window of ${size} lines with a stride of ${stride} leaves lines out or is empty.`,
      "Give whole numbers with 1 <= stride <= size.",
    );
  }
  if (size > maxLines) {
    throw refuse(
      `A window of ${size} lines is longer than the bundle's limit of ${maxLines}.`,
      `Use a size of at most ${maxLines}, or another bundle.`,
    );
  }
}
