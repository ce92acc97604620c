import { findUv } from "../uv.ts";
import { bundleMethod, type ChosenBundle } from "./bundle-method.ts";
import { type CommandOptions, pluginMethod, pythonMethod, referenceMethod } from "./command-methods.ts";
import type { Method } from "./method.ts";
import { type MethodName, type PythonMethod, pythonMethods } from "./method-names.ts";
import { trivialMethods } from "./trivial-methods.ts";

export interface MethodChoice extends CommandOptions {
  names: ReadonlySet<MethodName>;
  bundles: readonly ChosenBundle[];
  /** Commands of the user's own, by name. */
  plugins: ReadonlyMap<string, string>;
  /** Windows on which LogLLM's loop is timed. */
  referenceWindows: number;
  keepGoing: boolean;
}

/**
 * The methods in the order of the table.
 * @throws LogGuardianError LG_UV_MISSING where some are written in Python and uv is not there, unless `keepGoing`: each
 * then says so when it runs.
 */
export function chooseMethods(choice: MethodChoice): Method[] {
  const { names, bundles, plugins, threads, referenceWindows } = choice;
  const chosen = Object.keys(pythonMethods).filter((id) => names.has(id as PythonMethod)) as PythonMethod[];
  const needUv = [...chosen, ...(names.has("logllm") ? ["logllm"] : [])];
  // Before the first method runs for an hour; with `keepGoing` each says so when its turn comes.
  if (needUv.length > 0 && !choice.keepGoing) findUv(needUv.join(", "));
  const python = [
    ...chosen.map((id) => pythonMethod(id, choice)),
    ...(names.has("logllm")
      ? bundles.map((bundle) => referenceMethod(bundle, referenceWindows, choice))
      : []),
  ];
  return [
    ...(names.has("bundle") ? bundles.map((bundle) => bundleMethod(bundle, threads)) : []),
    ...trivialMethods.filter(({ id }) => names.has(id as MethodName)),
    ...python,
    ...[...plugins].map(([name, command]) => pluginMethod(name, command, choice)),
  ];
}
