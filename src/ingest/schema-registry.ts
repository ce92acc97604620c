import avsc from "avsc";
import { LRUCache } from "lru-cache";
import { authorizationOf } from "../authorization.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { retry } from "../retry.ts";
import type { Health } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import { refused } from "./formats/format.ts";

const timeoutMs = 10_000;
/** Of one answer; the largest schemas of the wild have a tenth of it. */
const maxAnswerBytes = 4 * 2 ** 20;
/** Before the registry is asked whether it gives anything at all. */
const triesOfOne = 6;
/** Schemas that are kept. */
const mostSchemas = 10_000;
/** A schema that was not known is asked for again after this long. */
const unknownForMs = 60_000;
/** Schemas that refer to others, which refer to others. */
const mostReferences = 100;

/** Schemas of a Confluent-compatible registry, by id or GUID. */
export interface SchemaRegistry {
  /**
   * Fetches those not yet here, each once however many ask; waits as long as the registry is away, but not for one that
   * it fails to give while it answers otherwise.
   * @throws LogGuardianError LG_REGISTRY_REFUSED.
   */
  load(schemas: Iterable<string>): Promise<void>;
  /** Of what was loaded. @throws LogGuardianError LG_RECORD_SCHEMA where the registry does not know it or it is no Avro. */
  typeOf(schema: string): avsc.Type;
}

interface Answer {
  schema: string;
  schemaType?: string;
  references?: { name: string; subject: string; version: number }[];
}

/** Of one schema only: another try does not help. */
class Unusable extends Error {}

export function createSchemaRegistry(
  config: {
    url: string;
    username?: string | undefined;
    password?: string | undefined;
    bearerToken?: string | undefined;
  },
  deps: { logger: Logger; health: Health; signal?: AbortSignal | undefined },
): SchemaRegistry {
  const { logger, health, signal } = deps;
  const base = config.url.replace(/\/+$/, "");
  const headers = {
    accept: "application/vnd.schemaregistry.v1+json, application/json",
    ...authorizationOf(config),
  };
  const known = new LRUCache<string, avsc.Type | LogGuardianError>({ max: mostSchemas });
  const underWay = new Map<string, Promise<void>>();

  const get = (path: string) =>
    fetch(`${base}${path}`, {
      headers,
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]),
    });

  /** undefined: the registry does not know it. */
  async function ask(path: string): Promise<Answer | undefined> {
    const response = await get(path);
    const answer = await textOf(response);
    if (response.ok) return JSON.parse(answer) as Answer;
    if (response.status >= 500 || response.status === 429) throw new Error(`it answers ${response.status}`);
    // Of one schema only: unknown, or not for us to read.
    if (response.status !== 401) return undefined;
    throw new LogGuardianError(
      "LG_REGISTRY_REFUSED",
      `The schema registry at ${base} answers ${response.status}: ${answer.slice(0, 300)}.`,
      "Check schemaRegistry.url and its credentials.",
    );
  }

  /** Whether the registry reads its store: then one schema that it fails to give is to blame itself. */
  async function isWell(): Promise<boolean> {
    const response = await get("/subjects?limit=1").catch(() => undefined);
    await response?.body?.cancel();
    return response !== undefined && response.status < 500 && response.status !== 429;
  }

  async function askUntilAnswered(path: string): Promise<Answer | undefined> {
    let endWait: (() => void) | undefined;
    let tries = 0;
    const askOnce = () =>
      ask(path).catch(async (thrown) => {
        if (++tries < triesOfOne || isFinal(thrown) || !(await isWell())) throw thrown;
        throw new Unusable(`the registry fails to give it, and answers otherwise: ${reasonOf(thrown)}`);
      });
    try {
      return await retry(askOnce, {
        signal,
        isTransient: (thrown) => !isFinal(thrown),
        onFailure(thrown) {
          if (endWait !== undefined) return;
          logger.warn("The schema registry does not answer; records wait.", { error: reasonOf(thrown) });
          endWait = health.wait("schema-registry-away");
        },
      });
    } finally {
      endWait?.();
    }
  }

  /** Defines what a schema refers to, depth first, in `registry`. */
  async function define(
    answer: Answer,
    registry: Record<string, avsc.Type>,
    budget: { left: number },
  ): Promise<avsc.Type> {
    for (const { name, subject, version } of answer.references ?? []) {
      if (registry[name] !== undefined) continue;
      if (budget.left-- <= 0) throw new Error(`it refers to more than ${mostReferences} others`);
      const found = await askUntilAnswered(`/subjects/${encodeURIComponent(subject)}/versions/${version}`);
      if (found === undefined)
        throw new Error(`it refers to ${subject}, version ${version}, which is missing`);
      await define(found, registry, budget);
    }
    return avsc.Type.forSchema(JSON.parse(answer.schema), { registry, typeHook: longsAsNumbers });
  }

  async function fetchType(schema: string): Promise<avsc.Type> {
    const isGuid = schema.includes("-");
    const answer = await askUntilAnswered(isGuid ? `/schemas/guids/${schema}` : `/schemas/ids/${schema}`);
    if (answer === undefined) throw new Error("the registry does not give it");
    if ((answer.schemaType ?? "AVRO") !== "AVRO") throw new Error(`it is ${answer.schemaType}, not Avro`);
    return define(answer, {}, { left: mostReferences });
  }

  async function loadOne(schema: string): Promise<void> {
    try {
      known.set(schema, await fetchType(schema));
    } catch (thrown) {
      if (thrown instanceof LogGuardianError || signal?.aborted) throw thrown;
      const sentence = `The Avro schema ${schema} cannot be used: ${reasonOf(thrown)}.`;
      const remedy = "Check that schemaRegistry.url is the registry that the topic's producers use.";
      known.set(schema, refused("LG_RECORD_SCHEMA", sentence, thrown, remedy), { ttl: unknownForMs });
    } finally {
      underWay.delete(schema);
    }
  }

  return {
    async load(schemas) {
      const waits: Promise<void>[] = [];
      for (const schema of schemas) {
        if (known.has(schema)) continue;
        const wait = underWay.get(schema) ?? loadOne(schema);
        underWay.set(schema, wait);
        waits.push(wait);
      }
      await Promise.all(waits);
    },
    typeOf(schema) {
      const found =
        known.get(schema) ?? refused("LG_RECORD_SCHEMA", `The Avro schema ${schema} was not loaded.`);
      if (found instanceof LogGuardianError) throw found;
      return found;
    },
  };
}

function isFinal(thrown: unknown): boolean {
  return thrown instanceof LogGuardianError || thrown instanceof Unusable;
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Unusable(`the answer has more than ${maxAnswerBytes / 2 ** 20} MB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Longs as numbers, also those that no number holds exactly: times in nanoseconds are such. */
const longs = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => Number(bytes.readBigInt64LE()),
  toBuffer(value: number) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(Math.round(value)));
    return bytes;
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "number",
  compare: (first: number, second: number) => first - second,
});

/** Also where a logical type, such as timestamp-nanos, stands upon it. */
function longsAsNumbers(schema: unknown): avsc.Type | undefined {
  const isLong = schema === "long" || (schema as { type?: unknown } | null)?.type === "long";
  return isLong ? longs : undefined;
}
