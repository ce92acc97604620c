import { type Static, Type } from "typebox";
import { byDefault, given, named, oneOf, optional, orNull, time, verdict } from "./schemas.ts";

/** What `inference.batchSize` may be at most. */
const mostBatch = 128;
const latestMs = 8.64e15;

/** As requirements' row 8 has it. @param most lines of a request. */
export const detectBody = (most: number) =>
  given(
    {
      logs: Type.Array(
        given({
          message: Type.String({ maxLength: 65_536, description: "one line; what exceeds 8 kB is cut" }),
          timestamp: optional(
            Type.Union([time(), Type.Integer({ minimum: 0, maximum: latestMs })], {
              description: "must be an RFC 3339 time, or milliseconds since the epoch",
            }),
          ),
          source: optional(
            Type.String({
              minLength: 1,
              maxLength: 255,
              description: "where it was written, such as a host",
            }),
          ),
        }),
        { minItems: 1, maxItems: most, description: "in their order" },
      ),
      window_size: byDefault(
        Type.Integer({
          minimum: 1,
          default: 100,
          description: "lines of a window; the bundle says how many it takes at most (GET /health)",
        }),
      ),
      stride: byDefault(
        orNull(Type.Integer({ minimum: 1 }), {
          default: null,
          description:
            "must be the lines from one window's begin to the next one's, at most window_size; null: window_size",
        }),
      ),
      batch_size: byDefault(
        Type.Integer({
          minimum: 1,
          maximum: mostBatch,
          default: 16,
          description: "windows judged at once",
        }),
      ),
      raw_output: byDefault(
        Type.Boolean({
          default: false,
          description: "adds margin, logits and the model's own words",
        }),
      ),
    },
    {
      examples: [
        {
          logs: [
            {
              message: "Receiving block blk_1 src: /10.0.0.1:4000",
              timestamp: "2026-11-24T02:00:00Z",
              source: "node-1",
            },
            { message: "writeBlock blk_1 received exception java.io.IOException", source: "node-1" },
          ],
          window_size: 10,
        },
      ],
    },
  );

export type DetectBody = Static<ReturnType<typeof detectBody>>;

const line = Type.Object({
  index: Type.Integer({ description: "its place among the logs of the request, from 0" }),
  message: Type.String(),
  timestamp: optional(Type.Union([Type.String(), Type.Integer()], { description: "as it was sent" })),
  source: optional(Type.String()),
});

export const resultSchema = named(
  "DetectionResult",
  Type.Object({
    id: Type.String({ description: "of the verdict: the same for the same logs and windows" }),
    verdict,
    anomalous: Type.Boolean(),
    score: orNull(Type.Number(), { description: "calibrated probability; null where undecided" }),
    threshold: Type.Number({ description: "anomalous from this score on" }),
    reason: optional(Type.String({ description: "why it is undecided: a stable code" })),
    novelty: optional(
      Type.Number({ description: "how unlike all lines of training its most unlike line is, 0 to 2" }),
    ),
    fingerprint: optional(
      Type.String({ description: "the same for the same fault elsewhere; of anomalous ones" }),
    ),
    first_line: line,
    last_line: line,
    lines: Type.Integer({ description: "of the window" }),
    weights: optional(
      Type.Array(Type.Number(), { description: "of each line in the verdict; of anomalous ones" }),
    ),
    line_novelties: optional(Type.Array(Type.Number())),
    margin: optional(orNull(Type.Number())),
    logits: optional(orNull(Type.Object({ normal: Type.Number(), anomalous: Type.Number() }))),
    answer: optional(Type.String({ description: "the model's own words" })),
  }),
);

export const detectAnswer = Type.Object({
  results: Type.Array(Type.Unsafe<DetectionResult>({ $ref: `${resultSchema.$id}#` })),
  inference_time: Type.Number({ description: "seconds for which the model was asked" }),
  processing_time: Type.Number({ description: "seconds from the request to the answer" }),
});

export type DetectionResult = Static<typeof resultSchema>;
export type DetectAnswer = Static<typeof detectAnswer>;

export const jobStates = ["queued", "running", "done", "failed"] as const;
export type JobState = (typeof jobStates)[number];
export const jobState = oneOf(jobStates);
