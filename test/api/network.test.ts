import type { FastifyRequest } from "fastify";
import { expect, it } from "vitest";
import { createAuthentication } from "../../src/api/authentication.ts";
import { loadConfigOfApi } from "../../src/config/load.ts";

const { counterOf } = createAuthentication(loadConfigOfApi(undefined, {}).config.api);
const of = (ip: string) => counterOf({ ip } as FastifyRequest);

it("callers without a token are counted by address, of IPv6 by network: who has one has all its addresses", () => {
  expect(of("192.0.2.7")).not.toBe(of("192.0.2.8"));
  expect(of("2001:db8:1:2:3:4:5:6")).toBe(of("2001:db8:1:2::6"));
  expect(of("2001:db8:1:2::6")).not.toBe(of("2001:db8:1:3::6"));
  expect(of("2001:0db8::6")).toBe(of("2001:db8::7"));
});
