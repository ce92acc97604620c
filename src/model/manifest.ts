import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { LogGuardianError } from "../errors.ts";

export const bundleFormat = 1;

const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
/** A plain name: a bundle is one flat directory, and none of its files may lie elsewhere. */
const plainName = "^[A-Za-z0-9_][A-Za-z0-9._-]*$";
const fileName = Type.String({ pattern: plainName });

const pieces = Type.Object({
  text: Type.String(),
  ids: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
  /**
   * `text` in the pieces that are tokenised one by one: LogLLM's prompt tokenises its question and "The sequence is"
   * apart, and together they would have other ids.
   */
  parts: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
});
const token = Type.Object({ text: Type.String(), id: Type.Integer({ minimum: 0 }) });

/** A bundle's `manifest.json`. */
export const manifestSchema = Type.Object({
  format: Type.Literal(bundleFormat),
  name: Type.String({ minLength: 1 }),
  version: Type.String({ minLength: 1 }),
  created: Type.String(),
  licence: Type.String(),
  provenance: Type.Array(Type.Object({ part: Type.String(), source: Type.String(), licence: Type.String() })),
  text: Type.Object({
    /** Which header fields stand before the content, such as `{component} {level}: {content}`. */
    template: Type.String({ pattern: "\\{content\\}" }),
    maskProfile: Type.Union([Type.Literal("logllm"), Type.Literal("typed")]),
    /** Of one line, [CLS] and [SEP] included. */
    maxTokens: Type.Integer({ minimum: 3 }),
  }),
  window: Type.Object({
    maxLines: Type.Integer({ minimum: 1 }),
    /** `first`: of a longer window only the first `maxLines` lines are scored. */
    overflow: Type.Literal("first"),
    defaults: Type.Object({ size: Type.Integer({ minimum: 1 }), stride: Type.Integer({ minimum: 1 }) }),
  }),
  embedder: Type.Object({
    file: fileName,
    tokenizer: fileName,
    width: Type.Integer({ minimum: 1 }),
    padId: Type.Integer({ minimum: 0 }),
  }),
  llama: Type.Object({
    file: fileName,
    /**
     * Where `file` comes from when it does not travel with the bundle: it is then left out of `files`, and checked
     * against this sha256. `url`: whatever `model pull` takes.
     */
    base: Type.Optional(
      Type.Object({ name: Type.String({ minLength: 1 }), sha256, url: Type.String({ minLength: 1 }) }),
    ),
    /** A LoRA adapter over `file`. */
    adapter: Type.Optional(fileName),
    flashAttention: Type.Boolean(),
  }),
  /** Vectors of the training lines, for the novelty of a window: see novelty.ts. */
  novelty: Type.Optional(Type.Object({ file: fileName })),
  prompt: Type.Object({ before: pieces, after: pieces }),
  verdict: Type.Object({ normal: token, anomalous: token }),
  /** score = sigmoid(scale * margin + shift) */
  calibration: Type.Object({ scale: Type.Number({ exclusiveMinimum: 0 }), shift: Type.Number() }),
  /** A window is anomalous from this score on. */
  threshold: Type.Number({ minimum: 0, maximum: 1 }),
  parity: Type.Object({ tolerance: Type.Number({ exclusiveMinimum: 0 }) }),
  metrics: Type.Record(Type.String(), Type.Unknown()),
  files: Type.Record(
    Type.String({ pattern: plainName }),
    Type.Object({ sha256, size: Type.Integer({ minimum: 0 }) }),
    { additionalProperties: false },
  ),
});

export type Manifest = Static<typeof manifestSchema>;

/** @throws LogGuardianError LG_BUNDLE_FORMAT for another format version, LG_BUNDLE_MANIFEST with every problem and its path. */
export function parseManifest(text: string, where: string): Manifest {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (thrown) {
    throw new LogGuardianError(
      "LG_BUNDLE_MANIFEST",
      `${where} is not JSON.`,
      "Fetch or export the bundle again.",
      thrown,
    );
  }
  const format = (content as { format?: unknown } | null)?.format;
  if (format !== undefined && format !== bundleFormat) {
    throw new LogGuardianError(
      "LG_BUNDLE_FORMAT",
      `${where} has bundle format ${JSON.stringify(format)}; this LogGuardian reads format ${bundleFormat}.`,
      "Use a bundle of that format, or the LogGuardian that made it.",
    );
  }
  if (Value.Check(manifestSchema, content)) return content;
  const problems = Value.Errors(manifestSchema, content).map(
    ({ instancePath, message }) => `${instancePath || "/"} ${message}`,
  );
  throw new LogGuardianError(
    "LG_BUNDLE_MANIFEST",
    `${where} does not fit: ${problems.join("; ")}.`,
    "Fetch or export the bundle again.",
  );
}
