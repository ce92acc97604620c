import type { Manifest } from "../model/manifest.ts";

/** What the manifest says of the data that the bundle was trained on. */
export function trainingDataOf({ metrics }: Manifest): string | null {
  const training = metrics.training as { data?: unknown } | undefined;
  return typeof training?.data === "string" ? training.data : null;
}

/** A bundle comes trained, and may have seen what is tested. */
export function trainingNote(name: string, trainingData: string | null): string {
  const data = trainingData === null ? "nothing" : `"${trainingData}"`;
  return `${name} came trained; its manifest says of its training data: ${data}. Where they overlap with the windows tested, its figures are not held out.`;
}
