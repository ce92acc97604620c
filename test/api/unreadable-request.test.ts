import { expect, it } from "vitest";
import { answerToUnreadable } from "../../src/api/unreadable-request.ts";

it.each([
  ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout", "LG_API_TIMEOUT"],
  ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large", "LG_API_HEADERS"],
  ["HPE_INVALID_METHOD", "400 Bad Request", "LG_API_INVALID"],
])("what Node calls %s is answered by %s", (code, status, ours) => {
  const [head = "", body = ""] = answerToUnreadable({ code }, "name").split("\r\n\r\n");
  expect(head.split("\r\n")).toEqual([
    `HTTP/1.1 ${status}`,
    "connection: close",
    "x-request-id: name",
    "content-type: application/problem+json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
  ]);
  expect(JSON.parse(body)).toMatchObject({ status: Number.parseInt(status, 10), code: ours });
});
