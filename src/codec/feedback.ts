import type { Feedback, FeedbackJudgement } from "../verdict/feedback.ts";
import { createCodec } from "./single-object.ts";

const codec = createCodec<Feedback>(["feedback.v1.avsc"], {
  write({ id, pipeline, fingerprint, judgement, at, by, note, until, model, lines }, to) {
    to.string(id);
    to.string(pipeline);
    to.string(fingerprint);
    to.string(judgement);
    to.long(at);
    to.string(by);
    to.optionalString(note);
    to.union(until !== undefined);
    if (until !== undefined) to.long(until);
    to.string(model.name);
    to.string(model.version);
    to.array(lines, ({ text, masked }) => {
      to.string(text);
      to.string(masked);
    });
  },
  read(from) {
    const [id, pipeline, fingerprint] = [from.string(), from.string(), from.string()];
    const judgement = from.string() as FeedbackJudgement;
    const [at, by, note] = [from.long(), from.string(), from.optionalString()];
    const until = from.union() ? from.long() : undefined;
    const model = { name: from.string(), version: from.string() };
    const lines = from.array(() => ({ text: from.string(), masked: from.string() }));
    return {
      ...{ id, pipeline, fingerprint, judgement, at, by, model, lines },
      ...(note === undefined ? {} : { note }),
      ...(until === undefined ? {} : { until }),
    };
  },
});

export function encodeFeedback(feedback: Feedback): Buffer {
  return codec.encode(feedback);
}

/** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
export function decodeFeedback(bytes: Buffer): Feedback {
  return codec.decode(bytes);
}
