export type { Judgement, VerdictName } from "./classify/judgement.ts";
export { LogGuardianError } from "./errors.ts";
export { type Detection, type DetectOptions, detect } from "./pipeline/detect-logs.ts";
