import { STATUS_CODES } from "node:http";
import { problemOf, refusal } from "./problem.ts";

/** What Node says of requests that cannot be read, in our words. */
const refusals: Readonly<Record<string, [code: `LG_${string}`, what: string, remedy: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    "LG_API_TIMEOUT",
    "The request did not come whole in time.",
    "Send less at once, or faster.",
  ],
  HPE_HEADER_OVERFLOW: [
    "LG_API_HEADERS",
    "The request's headers are too large.",
    "Send fewer, or shorter ones.",
  ],
};

/** The answer, as it goes over the wire, to what has no request to answer. */
export function answerToUnreadable(thrown: { code?: string }, id: string): string {
  const [code, what, remedy] = refusals[thrown.code ?? ""] ?? [
    "LG_API_INVALID",
    "This is no HTTP request.",
    "Correct it.",
  ];
  const { problem } = problemOf(refusal(code, what, remedy));
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    "connection: close",
    `x-request-id: ${id}`,
    "content-type: application/problem+json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}
