import { LogGuardianError, reasonOf } from "../errors.ts";

const code = "LG_MODEL_ENDED";

/** A part of the model fails whatever it is asked: no window is at fault, and none is to be judged by what is left. */
export function modelEnded(part: "encoder" | "language model", thrown: unknown): LogGuardianError {
  return new LogGuardianError(
    code,
    `The ${part} can no longer be asked: ${reasonOf(thrown).trim().replace(/\.$/, "")}.`,
    "Start the process again; if it happens again, `logguardian doctor` shows what works here.",
    thrown,
  );
}

export function hasEnded(thrown: unknown): thrown is LogGuardianError {
  return thrown instanceof LogGuardianError && thrown.code === code;
}
