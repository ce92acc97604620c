import { runTrainer, type TrainerOptions } from "../trainer.ts";

/** Writes the labelled logs' parts that the trainer chooses on, and those before them, as rows for other commands. */
export async function splitsCommand(options: TrainerOptions): Promise<void> {
  await runTrainer("splits", options, "the splits");
}
