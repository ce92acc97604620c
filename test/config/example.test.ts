import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TSchema } from "typebox";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { configSchema, pipelineSchema, windowSchemas } from "../../src/config/schema.ts";
import { root } from "../support/data.ts";

const file = join(root, "docs/logguardian.example.yaml");
/** With the settings that are commented, as `#name:` or deeper; remarks have one space after the sign. */
const whole = readFileSync(file, "utf8").replace(/^( *)#(?! \S)/gm, "$1");

describe("the example configuration", () => {
  it("is good as it stands, and with all that is commented", () => {
    expect(Object.keys(loadConfig(file, {}).pipelines)).toEqual(["hdfs", "nodes", "requests"]);
    // Sentinel and a cluster exclude each other.
    const config = parseConfig(whole.replace(/^ *cluster:.*$/m, ""), file);
    expect(config.kafka.sasl?.mechanism).toBe("scram-sha-512");
    expect(config.pipelines.hdfs?.mask?.custom).toHaveLength(1);
  });

  it("names every setting", () => {
    // Not through the configuration's own reading, which would add what is missing.
    const { pipelines, ...rest } = parse(whole);
    const { hdfs, nodes, requests } = pipelines;
    const missing = [
      ...unnamed(configSchema, { ...rest, pipelines }, []),
      ...unnamed(
        pipelineSchema,
        { ...hdfs, topics: nodes.topics.slice(1), fields: nodes.fields, layout: nodes.layout },
        ["pipelines", "hdfs"],
      ),
      ...unnamed(windowSchemas.session, hdfs.window, ["pipelines", "hdfs", "window"]),
      ...unnamed(windowSchemas.time, requests.window, ["pipelines", "requests", "window"]),
      ...unnamed(windowSchemas.sliding, nodes.window, ["pipelines", "nodes", "window"]),
    ];
    expect(missing).toEqual([]);
  });

  it("has the defaults outside the pipelines", () => {
    const { pipelines, ...shown } = loadConfig(file, {});
    const bare = "pipelines: { any: { topics: [any], format: text, window: { kind: session } } }";
    const { pipelines: _, ...defaults } = parseConfig(bare, "bare.yaml");
    expect(Object.keys(pipelines)).not.toEqual([]);
    expect(shown).toEqual(defaults);
  });
});

/** The paths of a schema's settings at which a value has nothing. */
function unnamed(schema: TSchema, value: unknown, path: readonly string[]): string[] {
  if (value === undefined) return [path.join(".")];
  const { properties, items, anyOf } = schema as Inside;
  const choice = anyOf?.find((one) => "properties" in one);
  if (choice !== undefined) return unnamed(choice, value, path);
  if (items !== undefined) return (value as unknown[]).flatMap((item) => unnamed(items, item, path));
  return Object.entries(properties ?? {}).flatMap(([name, inner]) =>
    unnamed(inner, (value as Record<string, unknown>)[name], [...path, name]),
  );
}

interface Inside {
  properties?: Record<string, TSchema>;
  items?: TSchema;
  anyOf?: TSchema[];
}
