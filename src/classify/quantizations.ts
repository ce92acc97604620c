/** Types of the language model's weights, the most exact first. */
export const quantizations = [
  "f16",
  "bf16",
  "q8_0",
  "q6_k",
  "q5_k_m",
  "q5_0",
  "q4_k_m",
  "q4_0",
  "q4_1",
] as const;
export type Quantization = (typeof quantizations)[number];

/** What to know before choosing a type. */
export function quantizationWarning(type: Quantization): string | undefined {
  if (type !== "q4_1") return undefined;
  return "q4_1 is slower than every other type (1.2 windows per CPU-second where q4_0 does 3.0) and no more exact than q8_0; q4_0 or q8_0 serve better.";
}
