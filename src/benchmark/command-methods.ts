import { resolve } from "node:path";
import type { DistinctWindow } from "../evaluate/judged-windows.ts";
import { createRandom } from "../simulate/random.ts";
import { pythonModule } from "../uv.ts";
import { bundleId, type ChosenBundle, viewOf } from "./bundle-method.ts";
import { type Command, runCommand } from "./command.ts";
import type { Exchange } from "./exchange.ts";
import { answersOf, type Method } from "./method.ts";
import { type PythonMethod, pythonMethods } from "./method-names.ts";

export interface CommandOptions {
  exchange: Exchange;
  threads: number;
  seed: number;
}

/** A method of the user's own: a command of the shell that gets three paths as its last arguments. */
export function pluginMethod(name: string, command: string, { exchange }: CommandOptions): Method {
  // `sh` takes its own name before the arguments.
  return trained(name, name, exchange, (paths) => ({
    name,
    program: "/bin/sh",
    args: ["-c", `${command} "$@"`, "sh", ...paths],
  }));
}

export function pythonMethod(id: PythonMethod, options: CommandOptions): Method {
  return trained(id, pythonMethods[id], options.exchange, (paths) => python(id, paths, options));
}

function trained(
  id: string,
  name: string,
  exchange: Exchange,
  commandOf: (paths: string[]) => Command,
): Method {
  return {
    id,
    name,
    notes: [],
    async run(data, onProgress) {
      const scores = await exchange.next("scores");
      const command = commandOf([await exchange.train(data), await exchange.test(data), scores]);
      const { answers, ...seconds } = await runCommand(command, scores, data.distinct.length, onProgress);
      return { answers: answersOf(data.distinct, answers), ...seconds };
    },
  };
}

/** LogLLM's own loop in PyTorch with a bundle's weights, on a random sample: on all windows it would take hours. */
export function referenceMethod(bundle: ChosenBundle, sample: number, options: CommandOptions): Method {
  const { exchange, seed } = options;
  return {
    id: `logllm ${bundle.dir}`,
    name: `LogLLM's loop in PyTorch, ${bundle.name}`,
    view: viewOf(bundle.manifest),
    sameAs: bundleId(bundle),
    notes: [],
    async run({ distinct }, onProgress) {
      const drawn = draw(distinct, sample, seed);
      const scores = await exchange.next("scores");
      const paths = [resolve(bundle.dir), await exchange.windows(drawn), scores];
      const command = python("logllm", paths, options);
      const { answers, scoreSeconds } = await runCommand(command, scores, drawn.length, onProgress);
      return { answers: answersOf(drawn, answers), trainSeconds: null, scoreSeconds };
    },
  };
}

/** Without putting back; all where no more are asked for than there are. */
function draw(windows: readonly DistinctWindow[], most: number, seed: number): DistinctWindow[] {
  const random = createRandom(seed);
  const pool = [...windows];
  const count = Math.min(most, pool.length);
  for (let place = 0; place < count; place++) {
    const [drawn] = pool.splice(place + random.below(pool.length - place), 1);
    if (drawn !== undefined) pool.unshift(drawn);
  }
  return pool.slice(0, count);
}

function python(method: string, paths: readonly string[], { threads, seed }: CommandOptions): Command {
  const settings = ["--seed", String(seed), "--threads", String(threads)];
  const { program, args, env } = pythonModule(
    "logguardian_baselines",
    [method, ...paths, ...settings],
    method,
  );
  const most = String(threads);
  return { name: method, program, args, env: { ...env, OMP_NUM_THREADS: most, OPENBLAS_NUM_THREADS: most } };
}
