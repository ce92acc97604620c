import { LogGuardianError } from "../errors.ts";

/** @throws LogGuardianError LG_DATASET_ONE_LABEL: the figures that need both labels do not exist. */
export function assertBothLabels(
  dataSets: readonly { name: string; windows: number; anomalous: number }[],
): void {
  const found = dataSets.flatMap(({ name, windows, anomalous }) => {
    if (anomalous === 0)
      return `All windows tested of ${name} are normal: recall, F1, ROC and precision-recall curve do not exist.`;
    if (anomalous === windows)
      return `All windows tested of ${name} are anomalous: the ROC curve does not exist, and precision says nothing.`;
    return [];
  });
  if (found.length === 0) return;
  throw new LogGuardianError(
    "LG_DATASET_ONE_LABEL",
    found.join(" "),
    "Give data with both labels, or a larger share to test.",
  );
}
