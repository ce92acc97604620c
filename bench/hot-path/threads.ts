import { availableParallelism } from "node:os";
import { type OpenModel, openModel } from "../../src/pipeline/open-model.ts";
import { createRandom } from "../../src/simulate/random.ts";
import type { Measured, Run } from "./figure.ts";
import { seed } from "./figure.ts";
import { race } from "./rounds.ts";
import { uncached } from "./windows.ts";
import { devWindows, drawn } from "./windows-data.ts";

const cores = availableParallelism();

/**
 * Windows a second by the clock, uncached, with so many threads of the language model and of the encoder, which take turns
 * within a call. Alone on the machine, or it says nothing.
 */
export async function measureThreads({ full, splits, progress }: Run): Promise<Measured> {
  const counts = [...new Set([1, Math.max(1, cores - 1), cores])];
  const choices = [
    { name: "as chosen", llama: 0, onnx: 0 },
    ...counts.flatMap((llama) => counts.map((onnx) => ({ name: `${llama} and ${onnx}`, llama, onnx }))),
  ];
  const windows = drawn(await devWindows(splits, "bgl", 128), full ? 1024 : 256, createRandom(seed));
  const models: OpenModel[] = [];
  const contenders: Record<string, () => Promise<unknown>> = {};
  for (const { name, llama, onnx } of choices) {
    const inference = { ...uncached, llamaThreads: llama, onnxThreads: onnx };
    const model = await openModel({ evidence: false, inference });
    models.push(model);
    contenders[name] = () => model.judge.judge(windows.map((masked) => ({ masked })));
    await model.judge.judge(windows.slice(0, 32).map((masked) => ({ masked })));
  }
  const rounds = 3;
  const spent = await race(rounds, contenders, (round) => progress.show("rounds of threads", round, rounds));
  for (const model of models) await model.close();
  const rates = Object.entries(spent).map(([name, all]) => {
    const seconds = Math.min(...all.map((one) => one.seconds));
    return { name, rate: windows.length / seconds };
  });
  const [chosen, ...others] = rates;
  const best = others.toSorted((a, b) => b.rate - a.rate)[0];
  return {
    figures: [
      {
        name: "threads",
        value: (chosen?.rate ?? Number.NaN) / (best?.rate ?? Number.NaN),
        unit: "times",
        better: "higher",
        note: `windows a second with threads as chosen, over the best other choice (${best?.name} of ${cores}: language model, encoder)`,
      },
    ],
    details: { cores, windows: windows.length, rates },
    text: rates
      .map(({ name, rate }) => `    ${name.padEnd(12)}${rate.toFixed(1).padStart(8)} windows a second`)
      .join("\n"),
  };
}
