// The process of the next model: see next-model.ts. Opens it as it is told, then answers one question after the other.
import { constants, setPriority } from "node:os";
import { LogGuardianError, reasonOf } from "../../errors.ts";
import type { LineMasker } from "../../ingest/line-reader.ts";
import { type OpenModel, openModel } from "../open-model.ts";
import { lineMaskerOf } from "../stages.ts";
import type { Answer, JudgeMessage, OpenMessage, Request } from "./protocol.ts";

// Before it has threads, which inherit it: whatever the live model needs of the processor, it gets first.
setPriority(constants.priority.PRIORITY_LOW);
process.once("disconnect", () => process.exit(0));

let opened: { model: OpenModel; masker: LineMasker } | undefined;

async function open({ model: options, layout, custom }: OpenMessage): Promise<Answer> {
  const model = await openModel(options);
  const { id, manifest } = model.bundle;
  opened = { model, masker: lineMaskerOf(manifest, { layout, custom }) };
  const { name, version } = manifest;
  return { kind: "opened", model: { name, version, id, threshold: options.threshold ?? manifest.threshold } };
}

async function judge({ windows }: JudgeMessage): Promise<Answer> {
  if (opened === undefined) throw new Error("It is asked before it is opened.");
  const { model, masker } = opened;
  const asked = windows.map(({ maskHash, lines }) => ({
    masked: lines.map(({ text, masked }) => (maskHash === masker.hash ? masked : masker.mask(text).masked)),
  }));
  return { kind: "judged", judgements: await model.judge.judge(asked) };
}

process.on("message", async (request: Request) => {
  const answer = await (request.kind === "open" ? open(request) : judge(request)).catch(refusalOf);
  process.send?.(answer);
});

function refusalOf(thrown: unknown): Answer {
  const { code, message, remedy } =
    thrown instanceof LogGuardianError
      ? thrown
      : new LogGuardianError(
          "LG_NEXT_MODEL",
          `${reasonOf(thrown)}.`,
          "Try it with `logguardian model verify`.",
        );
  return { kind: "refused", code, message, remedy };
}
