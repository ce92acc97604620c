import type { Admission } from "../admission.ts";
import type { ApiDeps, ApiServer } from "../api-server.ts";
import type { Closing } from "../closing.ts";
import { askedOf, assertFits, resultOf } from "../detection-result.ts";
import { type DetectionResult, detectAnswer, detectBody } from "../detection-schemas.ts";
import { problems } from "../schemas.ts";

export function detectRoutes(
  server: ApiServer,
  { config, detection, record }: ApiDeps,
  { admission, closing }: { admission: Admission; closing: Closing },
): void {
  server.post(
    "/detect",
    {
      config: { scope: "detect" },
      schema: {
        tags: ["detection"],
        summary: "Judge lines in sliding windows",
        body: detectBody(config.limits.lines),
        response: {
          200: { ...detectAnswer, description: "One result a window, in their order." },
          ...problems(413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const began = performance.now();
      const { lines, options } = askedOf(request.body);
      const leave = admission.enter();
      // Nobody waits for the answer any more: others need the model.
      const gone = new AbortController();
      reply.raw.once("close", () => gone.abort());
      try {
        assertFits(options, await detection.open());
        const results: DetectionResult[] = [];
        let inferenceSeconds = 0;
        await detection.detect(lines, options, {
          signal: AbortSignal.any([gone.signal, closing.late]),
          onInference(seconds) {
            inferenceSeconds += seconds;
          },
          async onVerdict(verdict) {
            results.push(resultOf(verdict, request.body.logs, options));
            await record(verdict);
          },
        });
        return {
          results,
          inference_time: inferenceSeconds,
          processing_time: (performance.now() - began) / 1000,
        };
      } finally {
        leave();
      }
    },
  );
}
