const verdicts = ["normal", "anomalous", "undecided"] as const;
type VerdictName = (typeof verdicts)[number];

/** Windows by verdict of one model, a row each, then of another. @param corner names both. */
export function confusionTable(
  confusion: Record<VerdictName, Record<VerdictName, number>>,
  corner: string,
): string[] {
  return [
    `${corner.padEnd(12)}${verdicts.map((name) => name.padStart(11)).join("")}`,
    ...verdicts.map(
      (name) =>
        name.padEnd(12) + verdicts.map((other) => String(confusion[name][other]).padStart(11)).join(""),
    ),
  ];
}
