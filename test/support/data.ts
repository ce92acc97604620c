import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");
export const starterBundle = join(root, "models/starter");

/** Path of a file among the labelled logs. Throws a sentence that says how to provide them. */
export function dataFile(name: string): string {
  const folder = process.env.LOGGUARDIAN_DATA ?? join(root, "../shared/data");
  const path = join(folder, name);
  if (!existsSync(path)) {
    throw new Error(`${path} is missing. Set LOGGUARDIAN_DATA to the folder with the labelled logs.`);
  }
  return path;
}
