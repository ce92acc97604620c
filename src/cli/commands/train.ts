import { join, parse } from "node:path";
import { runTrainer, type TrainerOptions } from "../trainer.ts";

/** Trains a recipe; its bundle's folder has the recipe's name where none is given. */
export async function trainCommand(options: TrainerOptions & { config: string }): Promise<void> {
  await runTrainer("train", { out: join("build", parse(options.config).name), ...options }, "training");
}
