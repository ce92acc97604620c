import { existsSync } from "node:fs";
import { join, parse } from "node:path";
import { LogGuardianError } from "../../errors.ts";
import { runTrainer, type TrainerOptions } from "../trainer.ts";

/**
 * Trains a recipe; its bundle's folder has the recipe's name where none is given.
 * @throws LogGuardianError LG_RECIPE_FILE, LG_UV_MISSING.
 */
export async function trainCommand(options: TrainerOptions & { config: string }): Promise<void> {
  // The trainer would say so too, but the first time only after uv has installed PyTorch.
  if (!existsSync(options.config))
    throw new LogGuardianError(
      "LG_RECIPE_FILE",
      `The recipe ${options.config} does not exist.`,
      "Give its path with --config; training/recipes/starter.yaml is one to begin with.",
    );
  await runTrainer("train", { out: join("build", parse(options.config).name), ...options }, "training");
}
