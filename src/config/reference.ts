import type { TSchema } from "typebox";
import { tokenSchema } from "./api-schema.ts";
import { pipelineSchema, windowSchemas } from "./pipeline-schema.ts";
import { configSchema } from "./schema.ts";
import { durationPattern, sizePattern } from "./units.ts";

/** What the schema says, as far as the reference tells it. */
interface Described {
  description?: string;
  default?: unknown;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  items?: TSchema;
  anyOf?: TSchema[];
  properties?: Record<string, TSchema>;
  patternProperties?: Record<string, TSchema>;
  required?: string[];
}

const head = `# Configuration

Every setting, as \`logguardian config --reference\` prints it from the schema that checks them.
[logguardian.example.yaml](logguardian.example.yaml) is one to begin with; \`logguardian config\` names what is wrong with
yours, \`logguardian config --print\` shows what is in effect, without secrets.

The file is \`logguardian.yaml\`, or the one that \`--config\` or \`LOGGUARDIAN_CONFIG\` names. Every single value can also come from
the environment, which overrides it: \`kafka.clientId\` from \`LOGGUARDIAN_KAFKA_CLIENT_ID\`, or from the file that
\`LOGGUARDIAN_KAFKA_CLIENT_ID_FILE\` names, which is the way for secrets. Lists of texts are separated by commas there. What holds
names of its own, a choice of forms or nothing must stand in the file: a pipeline, one of \`api.tokens\`, \`alert.labels\`,
\`mask.custom\`, \`key: { pattern }\`, \`tls: {}\`. Other variables are ignored, unless they are nearly the name of a setting.

Durations are written \`500ms\`, \`30s\`, \`10m\`, \`24h\`, \`7d\`; sizes \`512kB\`, \`64MB\`, \`1GB\`. "–" is no default: the setting may be
left out; "**needed**" is one that may not, where its section stands.
`;

/** Every setting as Markdown: its kind, default and meaning. docs/configuration.md is this text. */
export function configurationReference(): string {
  const sections = Object.entries(propertiesOf(configSchema)).filter(([name]) => name !== "pipelines");
  return [
    head,
    ...sections.map(([name, schema]) => chapter(`\`${name}\``, schema)),
    chapter("`api.tokens.<name>`", tokenSchema),
    chapter(
      "`pipelines.<name>`",
      pipelineSchema,
      "each with its own topics and consumer groups; names are of a-z, 0-9 and -",
    ),
    ...Object.entries(windowSchemas).map(([kind, schema]) =>
      chapter(
        `\`pipelines.<name>.window\` of kind ${kind}`,
        schema,
        descriptionOf(propertiesOf(schema).kind),
      ),
    ),
  ].join("\n");
}

function chapter(title: string, schema: TSchema, about = descriptionOf(schema)): string {
  const rows = rowsOf(schema, []).map(({ name, schema, isNeeded }) =>
    row(
      `\`${name}\``,
      isSection(schema) ? "section" : kindOf(schema),
      isNeeded ? "**needed**" : defaultOf(schema),
      descriptionOf(schema),
    ),
  );
  return [
    `## ${title}\n`,
    ...(about === "" ? [] : [`${sentence(about)}\n`]),
    row("setting", "kind", "default", "what it is"),
    row("---", "---", "---", "---"),
    ...rows,
    "",
  ].join("\n");
}

/** The settings of a section, those within others by their paths. */
function rowsOf(
  schema: TSchema,
  path: readonly string[],
): { name: string; schema: TSchema; isNeeded: boolean }[] {
  const { required = [] } = schema as Described;
  return Object.entries(propertiesOf(schema)).flatMap(([name, inner]) => {
    const here = [...path, name];
    const own = {
      name: here.join("."),
      schema: inner,
      isNeeded: required.includes(name) && (inner as Described).default === undefined,
    };
    const within = rowsOf(inner, here);
    // A section with nothing to say is only where its settings stand.
    return within.length > 0 && descriptionOf(inner) === "" ? within : [own, ...within];
  });
}

function kindOf(schema: TSchema): string {
  const {
    type,
    enum: names,
    const: only,
    pattern,
    minimum,
    exclusiveMinimum,
    maximum,
    items,
    anyOf,
  } = schema as Described;
  if (names !== undefined) return names.map((name) => `\`${name}\``).join(", ");
  if (only !== undefined) return `\`${only}\``;
  if (anyOf !== undefined) return anyOf.map((one) => kindOf(one)).join(", or ");
  if (pattern === durationPattern) return "duration";
  if (pattern === sizePattern) return "size";
  switch (type) {
    case "array":
      return `list: ${items === undefined ? "" : kindOf(items)}`;
    case "boolean":
      return "`true`, `false`";
    case "integer":
    case "number":
      return [
        type === "integer" ? "whole number" : "number",
        exclusiveMinimum === undefined ? "" : `above ${exclusiveMinimum}`,
        minimum === undefined ? "" : `from ${minimum}`,
        maximum === undefined ? "" : `to ${maximum}`,
      ]
        .filter((part) => part !== "")
        .join(" ");
    case "object":
      return (schema as Described).patternProperties === undefined
        ? `\`{ ${Object.keys(propertiesOf(schema)).join(", ")} }\``
        : "settings by name";
    default:
      return "text";
  }
}

function defaultOf(schema: TSchema): string {
  const { default: byDefault } = schema as Described;
  if (isSection(schema)) return "";
  if (byDefault === undefined) return "–";
  return `\`${typeof byDefault === "string" ? byDefault : JSON.stringify(byDefault)}\``;
}

function isSection(schema: TSchema): boolean {
  return (schema as Described).properties !== undefined;
}

function descriptionOf(schema: TSchema | undefined): string {
  return (schema as Described | undefined)?.description ?? "";
}

function propertiesOf(schema: TSchema): Record<string, TSchema> {
  return (schema as Described).properties ?? {};
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
