import { expect, it } from "vitest";
import { assertBothLabels } from "../../src/evaluate/both-labels.ts";

it("names every data set of one label, and what it lacks", () => {
  const both = { name: "both", windows: 3, anomalous: 1 };
  expect(() => assertBothLabels([both])).not.toThrow();
  const one = [
    { name: "a", windows: 3, anomalous: 0 },
    { name: "b", windows: 3, anomalous: 3 },
  ];
  expect(() => assertBothLabels([both, ...one])).toThrow(
    /^All windows tested of a are normal: recall.* exist\. All windows tested of b are anomalous: the ROC/,
  );
});
