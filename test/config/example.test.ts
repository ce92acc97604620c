import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TSchema } from "typebox";
import { describe, expect, it } from "vitest";
import { tokenSchema } from "../../src/config/api-schema.ts";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { pipelineSchema, windowSchemas } from "../../src/config/pipeline-schema.ts";
import { configurationReference } from "../../src/config/reference.ts";
import { configSchema } from "../../src/config/schema.ts";
import { root } from "../support/data.ts";

const file = join(root, "docs/logguardian.example.yaml");
/** With the settings that are commented, as `#name:` or deeper; remarks have one space after the sign. */
const whole = readFileSync(file, "utf8").replace(/^( *)#(?! \S)/gm, "$1");

describe("the example configuration", () => {
  it("is good as it stands, and with all that is commented", () => {
    expect(Object.keys(loadConfig(file, {}).pipelines)).toEqual(["hdfs", "nodes", "requests"]);
    const config = parseConfig(whole, file);
    expect(config.kafka.sasl?.mechanism).toBe("scram-sha-512");
    expect(config.pipelines.nodes?.topics).toHaveLength(2);
  });

  it("has the defaults outside the pipelines", () => {
    const { pipelines, ...shown } = loadConfig(file, {});
    const bare = "pipelines: { any: { topics: [any], format: text, window: { kind: session } } }";
    const { pipelines: _, ...defaults } = parseConfig(bare, "bare.yaml");
    expect(Object.keys(pipelines)).not.toEqual([]);
    expect(shown).toEqual(defaults);
  });
});

describe("docs/configuration.md", () => {
  it("is what `logguardian config --reference` prints", () => {
    expect(readFileSync(join(root, "docs/configuration.md"), "utf8")).toBe(configurationReference());
  });

  it.each([
    ["", configSchema],
    ["pipelines.<name>", pipelineSchema],
    ...Object.entries(windowSchemas),
    ["api.tokens.<name>", tokenSchema],
  ])("has a word for each setting of %s", (_, schema) => {
    expect(silent(schema, [])).toEqual([]);
  });
});

/** The paths of a schema's settings of which it says nothing. */
function silent(schema: TSchema, path: readonly string[]): string[] {
  const { properties = {} } = schema as { properties?: Record<string, TSchema> };
  return Object.entries(properties).flatMap(([name, inner]) => {
    const { description } = inner as { description?: string };
    const here = [...path, name];
    // Pipelines have a schema of their own.
    const own = description === undefined && name !== "pipelines" ? [here.join(".")] : [];
    return [...own, ...silent(inner, here)];
  });
}
