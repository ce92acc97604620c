import { basename } from "node:path";
import { judgeAll } from "../evaluate/judged-windows.ts";
import { trainingDataOf, trainingNote } from "../evaluate/training-note.ts";
import { createMasker } from "../mask/masker.ts";
import { defaultBundleDir, loadManifest } from "../model/bundle.ts";
import type { Manifest } from "../model/manifest.ts";
import { withModel } from "../pipeline/open-model.ts";
import { answersOf, type Method } from "./method.ts";

export interface ChosenBundle {
  dir: string;
  manifest: Manifest;
  name: string;
}

/** Manifests of the bundles asked for; the starter bundle where none is. @throws LogGuardianError LG_BUNDLE_*. */
export async function chooseBundles(dirs: readonly string[]): Promise<[ChosenBundle, ...ChosenBundle[]]> {
  const [first = defaultBundleDir(), ...more] = dirs;
  const read = async (dir: string) => {
    const manifest = await loadManifest(dir);
    const name = `${manifest.name} ${manifest.version}`;
    return { dir, manifest, name: more.length === 0 ? name : `${name} (${basename(dir)})` };
  };
  return [await read(first), ...(await Promise.all(more.map(read)))];
}

export function bundleId({ dir }: ChosenBundle): string {
  return `bundle ${dir}`;
}

export function viewOf({ text }: Manifest) {
  return { masker: createMasker({ profile: text.maskProfile }), template: text.template };
}

/** A bundle through the same code as the stream, its caches empty at the beginning. */
export function bundleMethod(bundle: ChosenBundle, threads: number): Method {
  return {
    id: bundleId(bundle),
    name: bundle.name,
    view: viewOf(bundle.manifest),
    notes: [trainingNote(bundle.name, trainingDataOf(bundle.manifest))],
    run: ({ distinct }, onProgress) =>
      withModel(
        {
          bundleDir: bundle.dir,
          evidence: false,
          inference: { llamaThreads: threads, onnxThreads: threads },
        },
        async (model) => {
          const judged = distinct.map((window) => ({ ...window }));
          const occurrences = judged.map((window) => ({ window, label: 0 as const, count: 1 }));
          const start = performance.now();
          await judgeAll(model, occurrences, (done, all) => onProgress("windows judged", done, all));
          const scoreSeconds = (performance.now() - start) / 1000;
          const { threshold } = model.bundle.manifest;
          const answers = judged.map(({ margin, score }) => ({
            score: margin,
            anomalous: score !== null && score >= threshold,
          }));
          return { answers: answersOf(distinct, answers), trainSeconds: null, scoreSeconds };
        },
      ),
  };
}
