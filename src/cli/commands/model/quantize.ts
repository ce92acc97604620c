import { type Quantization, quantizationWarning } from "../../../classify/quantizations.ts";
import { quantize } from "../../../classify/quantize.ts";
import { parseWhole } from "../../arguments.ts";

export async function quantizeCommand(
  source: string,
  target: string,
  options: { type: Quantization; threads: string; allowRequantize?: boolean },
): Promise<void> {
  const warning = quantizationWarning(options.type);
  if (warning !== undefined) console.error(warning);
  const threads = parseWhole(options.threads, "--threads", 0);
  const { sourceBytes, targetBytes } = await quantize(source, target, {
    type: options.type,
    threads,
    requantize: options.allowRequantize === true,
  });
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(`${target}: ${options.type}, ${megabytes(targetBytes)} of ${megabytes(sourceBytes)}.`);
  console.log(
    "Margins move with the type: calibrate and choose the threshold with this very file, and write golden windows for it.",
  );
}
