import { type Bundle, baseToFetch, defaultBundleDir, loadBundle } from "../../../model/bundle.ts";
import { readTrainingLines } from "../../../model/novelty.ts";

/** A bundle's manifest: for people a table of what matters most, or of all, and all of it as JSON for programs. */
export async function inspectCommand(
  dir = defaultBundleDir(),
  options: { json?: boolean; all?: boolean } = {},
): Promise<void> {
  const bundle = await loadBundle(dir, { needBase: false });
  if (options.json === true || !process.stdout.isTTY) {
    console.log(JSON.stringify({ id: bundle.id, ...bundle.manifest }, null, 2));
    return;
  }
  const details = detailsOf(bundle);
  const rest: Row[] = [["more", `${details.length} rows of files, origins and measured figures: --all`]];
  for (const [name, value] of [...(await summaryOf(bundle)), ...(options.all === true ? details : rest)])
    console.log(`${name.padEnd(14)} ${value}`);
}

type Row = [name: string, value: string];

async function summaryOf(bundle: Bundle): Promise<Row[]> {
  const { manifest } = bundle;
  const { llama, window, text, calibration } = manifest;
  const missing = baseToFetch(bundle.dir, manifest);
  const trained = await readTrainingLines(bundle);
  const rows: Row[] = [
    ["bundle", `${manifest.name} ${manifest.version}, made ${manifest.created}`],
    ["id", bundle.id],
    ["folder", bundle.dir],
    ["licence", manifest.licence],
    ["lines", `${text.template}, masked by ${text.maskProfile}, at most ${text.maxTokens} tokens each`],
    [
      "windows",
      `at most ${window.maxLines} lines; ${window.defaults.size} every ${window.defaults.stride} by default`,
    ],
    ["encoder", `${manifest.embedder.file}, vectors of ${manifest.embedder.width} numbers`],
    [
      "model",
      `${llama.file}${llama.adapter === undefined ? "" : ` with ${llama.adapter}`}${llama.flashAttention ? ", flash attention" : ""}`,
    ],
    ["prompt", `${manifest.prompt.before.text} … ${manifest.prompt.after.text}`.replaceAll("\n", "⏎")],
    ["score", `1 / (1 + exp(-(${calibration.scale} * margin + ${calibration.shift})))`],
    ["threshold", String(manifest.threshold)],
    ["novelty", trained === undefined ? "not told" : `from ${trained.count} lines of training`],
  ];
  if (llama.base !== undefined) {
    const state = missing === undefined ? "is there" : `is missing. ${missing.remedy}`;
    rows.push(["base", `${llama.base.name} ${state}`]);
  }
  return rows;
}

function detailsOf({ manifest }: Bundle): Row[] {
  const rows: Row[] = [];
  for (const [file, { size, sha256 }] of Object.entries(manifest.files))
    rows.push(["file", `${file}  ${(size / 1e6).toFixed(1)} MB  sha256 ${sha256.slice(0, 12)}…, right`]);
  for (const { part, source, licence } of manifest.provenance)
    rows.push(["from", `${part}: ${source} (${licence})`]);
  for (const [name, value] of Object.entries(manifest.metrics)) rows.push(...metricRows(name, value));
  return rows;
}

/** One row for each innermost group of figures. */
function metricRows(name: string, value: unknown): Row[] {
  if (typeof value !== "object" || value === null) return [["measured", `${name}: ${value}`]];
  const entries = Object.entries(value);
  if (entries.some(([, inner]) => typeof inner === "object" && inner !== null))
    return entries.flatMap(([inner, group]) => metricRows(`${name}, ${inner}`, group));
  return [["measured", `${name}: ${entries.map(([figure, number]) => `${figure} ${number}`).join(", ")}`]];
}
