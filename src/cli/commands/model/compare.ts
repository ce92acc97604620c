import { lineWeights } from "../../../classify/evidence.ts";
import { windowsPerCall } from "../../../classify/judge.ts";
import { windowVectors } from "../../../classify/window-vectors.ts";
import { LogGuardianError } from "../../../errors.ts";
import { agreementOf, distanceOf, type Pair } from "../../../evaluate/agreement.ts";
import { readWindowRows, type WindowRow } from "../../../evaluate/data/window-rows.ts";
import { figure } from "../../../evaluate/report/format.ts";
import { createMasker } from "../../../mask/masker.ts";
import { type OpenModel, withModel } from "../../../pipeline/open-model.ts";
import { visibleStart } from "../../../verdict/visible.ts";
import { parseWhole } from "../../arguments.ts";
import { confusionTable } from "../../confusion-table.ts";

interface Options {
  data: string;
  top: string;
  json?: boolean;
}

const shownLines = 3;

interface Disagreement {
  /** Of the row in the data, from 1. */
  row: number;
  label?: 0 | 1;
  a: Side;
  b: Side;
}

interface Side {
  verdict: string;
  score: number | null;
  margin: number | null;
  /** The lines that raise the margin most. */
  heaviest: { line: string; weight: number }[];
}

/** Where two bundles disagree on the same windows. */
export async function compareCommand(dirA: string, dirB: string, options: Options): Promise<void> {
  const top = parseWhole(options.top, "--top", 0);
  await withModel({ bundleDir: dirA, evidence: false }, (a) =>
    withModel({ bundleDir: dirB, evidence: false }, (b) => compare(a, b, options, top)),
  );
}

async function compare(a: OpenModel, b: OpenModel, options: Options, top: number): Promise<void> {
  const rows: WindowRow[] = [];
  for await (const row of readWindowRows(options.data)) rows.push(row);
  if (rows.length === 0) {
    throw new LogGuardianError(
      "LG_DATASET_EMPTY",
      `${options.data} holds no window.`,
      'Give rows {"lines": [...]}, with "label" where they are labelled.',
    );
  }
  const [masksA, masksB] = [maskedBy(a, rows), maskedBy(b, rows)];
  const pairs: Pair[] = [];
  for (let from = 0; from < rows.length; from += windowsPerCall) {
    const to = from + windowsPerCall;
    const ofA = await a.judge.judge(masksA.slice(from, to));
    const ofB = await b.judge.judge(masksB.slice(from, to));
    for (const [place, judgement] of ofA.entries()) {
      const other = ofB[place];
      if (other !== undefined) pairs.push({ a: judgement, b: other, label: rows[from + place]?.label });
    }
  }

  // Windows with another verdict first, then by the distance of their scores; of equal windows the first alone.
  const seen = new Set<string>();
  const apart = pairs
    .map((pair, place) => ({ pair, place, other: pair.a.verdict !== pair.b.verdict }))
    .filter(({ pair, other }) => other || distanceOf(pair) > 0)
    .sort((x, y) => Number(y.other) - Number(x.other) || distanceOf(y.pair) - distanceOf(x.pair))
    .filter(({ place }) => {
      const key = JSON.stringify(rows[place]?.lines);
      return !seen.has(key) && seen.add(key);
    })
    .slice(0, top);
  const disagreements: Disagreement[] = [];
  for (const { pair, place } of apart) {
    const { label } = rows[place] ?? {};
    disagreements.push({
      row: place + 1,
      ...(label === undefined ? {} : { label }),
      a: { ...sideOf(pair.a), heaviest: await heaviestOf(a, masksA[place]?.masked ?? []) },
      b: { ...sideOf(pair.b), heaviest: await heaviestOf(b, masksB[place]?.masked ?? []) },
    });
  }
  const report = { a: nameOf(a), b: nameOf(b), ...agreementOf(pairs), disagreements };
  console.log(options.json === true ? JSON.stringify(report) : forPeople(report));
}

function maskedBy({ bundle }: OpenModel, rows: readonly WindowRow[]): { masked: string[] }[] {
  const masker = createMasker({ profile: bundle.manifest.text.maskProfile });
  return rows.map(({ lines }) => ({ masked: lines.map((line) => masker.mask(line)) }));
}

function nameOf({ bundle }: OpenModel) {
  return { name: bundle.manifest.name, version: bundle.manifest.version, id: bundle.id };
}

function sideOf({ verdict, score, margin }: Pair["a"]): Omit<Side, "heaviest"> {
  return { verdict, score, margin };
}

async function heaviestOf(model: OpenModel, masked: readonly string[]): Promise<Side["heaviest"]> {
  const lines = masked.slice(0, model.bundle.manifest.window.maxLines);
  if (lines.length === 0) return [];
  const [vectors] = await windowVectors(model.embedder, [lines]);
  const weights = await lineWeights(model.scorer, vectors?.joined ?? new Float32Array(0), lines);
  return [...new Map(lines.map((line, place) => [line, weights[place] ?? 0]))]
    .map(([line, weight]) => ({ line, weight }))
    .filter(({ weight }) => weight > 0)
    .sort((x, y) => y.weight - x.weight)
    .slice(0, shownLines);
}

type Report = ReturnType<typeof agreementOf> & {
  a: ReturnType<typeof nameOf>;
  b: ReturnType<typeof nameOf>;
  disagreements: Disagreement[];
};

function forPeople(report: Report): string {
  const { a, b, confusion, labelled, marginCorrelation, disagreements } = report;
  const text = [
    `A  ${a.name} ${a.version}  ${a.id.slice(0, 12)}`,
    `B  ${b.name} ${b.version}  ${b.id.slice(0, 12)}`,
    `${report.windows} windows, ${(100 * report.agreement).toFixed(2)} % with one verdict; ` +
      `correlation of the margins ${marginCorrelation?.toFixed(4) ?? "undefined"}`,
    "",
    ...confusionTable(confusion, "A \\ B"),
  ];
  if (labelled !== undefined) {
    const figures = ({ f1, precision, recall }: typeof labelled.a) =>
      `F1 ${figure(f1)}  precision ${figure(precision)}  recall ${figure(recall)}`;
    text.push("", `On ${labelled.windows} labelled windows:`);
    text.push(`A  ${figures(labelled.a)}`, `B  ${figures(labelled.b)}`);
  }
  for (const { row, label, ...sides } of disagreements) {
    text.push("", `row ${row}${label === undefined ? "" : `, labelled ${label}`}`);
    for (const name of ["a", "b"] as const) {
      const { verdict, score, heaviest } = sides[name];
      text.push(`  ${name.toUpperCase()}  ${verdict}  score ${score?.toFixed(3) ?? "none"}`);
      for (const { line, weight } of heaviest)
        text.push(`     +${weight.toFixed(1)}  ${visibleStart(line, 160)}`);
    }
  }
  return text.join("\n");
}
