import type { Judgement } from "../../classify/judgement.ts";
import type { LogGuardianError } from "../../errors.ts";
import type { LayoutSpec } from "../../ingest/layouts.ts";
import type { CustomPattern } from "../../mask/masker.ts";
import type { ShadowModel } from "../../verdict/shadow.ts";
import type { ModelOptions } from "../open-model.ts";

/** What the detector and the process of the next model tell each other. */
export interface OpenMessage {
  kind: "open";
  model: ModelOptions;
  layout: LayoutSpec;
  custom: readonly CustomPattern[];
}

/** Windows: of those whose mask is the model's the masked lines, of others the raw ones. */
export interface JudgeMessage {
  kind: "judge";
  windows: { maskHash: string; lines: { text: string; masked: string }[] }[];
}

export type Request = OpenMessage | JudgeMessage;

/** An error does not come through to another process: its parts do. */
export type Answer =
  | { kind: "opened"; model: ShadowModel }
  | { kind: "judged"; judgements: Judgement[] }
  | { kind: "refused"; code: LogGuardianError["code"]; message: string; remedy: string };
