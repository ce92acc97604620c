import type { Evaluation } from "../evaluation.ts";
import { trainingNote } from "../training-note.ts";
import { short } from "./format.ts";

/** Sentences about what was read and how: what a reader must know before the figures. */
export function notesOf({ model, data, views, errors, crossValidation }: Evaluation): string[] {
  const { reading, split } = data;
  const undecided = views[0]?.counts.undecided ?? 0;
  return [
    trainingNote(`${model.name} ${model.version}`, model.trainingData),
    `${short(data.windows)} windows of ${short(reading.lines)} lines read from ${data.path} (${data.format}).`,
    split === null
      ? ""
      : `${split.kind === "random" ? `A random share (seed ${split.seed})` : "The last share in time"} of ${split.testShare} is tested: ${short(data.tested)} windows. Unless --train says otherwise, the rest is what "never seen" refers to.`,
    data.leftOut > 0
      ? `${short(data.leftOut)} windows share lines with tested ones and belong to neither side.`
      : "",
    data.overlap && (split?.kind === "random" || crossValidation !== null)
      ? "Windows overlap: those of a random share, and those of the threshold's folds, share lines with the rest, which flatters their figures."
      : "",
    reading.linesWithoutLayout > 0
      ? `${short(reading.linesWithoutLayout)} lines have no header that fits the layout: judged with all of their text.`
      : "",
    reading.linesWithoutWindow > 0
      ? `${short(reading.linesWithoutWindow)} lines belong to no window and were not judged.`
      : "",
    reading.labelsUnused > 0
      ? `${short(reading.labelsUnused)} labels belong to nothing in the log and were not used.`
      : "",
    data.windowsCut > 0
      ? `${short(data.windowsCut)} windows have more lines than the model reads; only their first lines were scored.`
      : "",
    undecided > 0
      ? `${short(undecided)} windows are undecided: the model could not judge them; they count as not flagged.`
      : "",
    data.format === "hadoop" ? "Each job is one unit: the highest score of its windows." : "",
    errors.windowsWithWeights < errors.windows
      ? `Weights of lines were computed for the ${errors.windowsWithWeights} most frequent of ${errors.windows} distinct windows judged wrongly.`
      : "",
  ].filter((note) => note !== "");
}
