import { type Static, Type } from "typebox";
import { verdictNames } from "../classify/judgement.ts";
import { isoTime } from "../ingest/time.ts";
import { fingerprint, pipelineName } from "./anomaly-schemas.ts";
import type { AnomalyQuery } from "./anomaly-search.ts";
import { type Caller, maySee } from "./authentication.ts";
import { refusal, refusedField } from "./problem.ts";
import { given, oneOf, optional, time } from "./schemas.ts";

/** Which anomalies, and of whom. */
export const inTime = {
  from: optional(time({ description: "windows that end at this time or later" })),
  to: optional(time({ description: "and at this time or before" })),
  pipeline: optional(pipelineName),
};

export const anomalyFilter = {
  ...inTime,
  fingerprint: optional(fingerprint),
  origin: optional(Type.String({ minLength: 1, maxLength: 1000, description: "as anomalies name it" })),
  verdict: optional(
    oneOf(verdictNames, {
      description: "not given: anomalous and undecided; normal: those that were withdrawn",
    }),
  ),
  feedback: optional(oneOf(["confirmed", "false-alarm", "none"])),
};

const filter = given(anomalyFilter);

/** @throws LogGuardianError LG_API_VALUES, LG_API_SCOPE. */
export function queryOf(asked: Static<typeof filter>, caller: Caller): AnomalyQuery {
  const { from, to, ...rest } = asked;
  const query: AnomalyQuery = { isVisible: (pipeline) => maySee(caller, pipeline) };
  if (from !== undefined) query.from = timeOf("from", from);
  if (to !== undefined) query.to = timeOf("to", to);
  if (query.from !== undefined && query.to !== undefined && query.from > query.to)
    throw refusedField("to", "is before from", "query");
  if (rest.pipeline !== undefined) assertVisible(caller, rest.pipeline);
  return Object.assign(query, rest);
}

/** @throws LogGuardianError LG_API_SCOPE. */
export function assertVisible(caller: Caller, pipeline: string): void {
  if (!maySee(caller, pipeline))
    throw refusal(
      "LG_API_SCOPE",
      `The token ${caller.name} may not see the pipeline ${pipeline}.`,
      "Use another token, or give it this pipeline in api.tokens.",
    );
}

function timeOf(field: string, text: string): number {
  const found = isoTime(text);
  if (found === undefined) throw refusedField(field, "is no time such as 2026-11-24T02:00:00Z", "query");
  return found;
}
