import { createHash, timingSafeEqual } from "node:crypto";
import { normalizeIP } from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import { mainToken, type Scope } from "../config/api-schema.ts";
import type { Config } from "../config/schema.ts";
import { LogGuardianError } from "../errors.ts";
import { refusal } from "./problem.ts";

/** Who asks, and what they may. */
export interface Caller {
  /** Name of the token. */
  name: string;
  scopes: ReadonlySet<Scope>;
  /** Whose anomalies they see; undefined: everybody's. */
  pipelines?: ReadonlySet<string>;
}

export interface Authentication {
  /** Whether tokens are asked for. */
  isOn: boolean;
  /** @throws LogGuardianError LG_API_HOST, LG_API_TOKEN, LG_API_SCOPE. */
  callerOf(request: FastifyRequest, scope: Scope): Caller;
  /** By whom requests are counted: a token that is known, else an address. */
  counterOf(request: FastifyRequest): string;
}

/** Without tokens everybody who reaches the port may do everything. */
const anybody: Caller = { name: "local", scopes: new Set(["admin"]) };

/** @throws LogGuardianError LG_API_OPEN, LG_API_NO_TOKEN where what is configured is no protection. */
export function createAuthentication(config: Config["api"]): Authentication {
  const { token, tokens, enableAuth } = config;
  const known = [
    ...(token === undefined ? [] : [{ hash: hashOf(token), caller: callerNamed(mainToken, ["admin"]) }]),
    ...Object.entries(tokens).map(([name, { token, scopes, pipelines }]) => ({
      hash: hashOf(token),
      caller: callerNamed(name, scopes, pipelines),
    })),
  ];
  const isOn = enableAuth ?? known.length > 0;
  if (isOn && known.length === 0)
    throw new LogGuardianError(
      "LG_API_NO_TOKEN",
      "api.enableAuth is on, and there is no token.",
      "Set api.token (LOGGUARDIAN_API_TOKEN, or LOGGUARDIAN_API_TOKEN_FILE with a file's path), or api.tokens.",
    );
  if (!isOn && !isLoopback(config.host))
    throw new LogGuardianError(
      "LG_API_OPEN",
      `api.host is ${config.host}: without a token, everybody who reaches it could read the logs.`,
      "Set api.token (LOGGUARDIAN_API_TOKEN, or LOGGUARDIAN_API_TOKEN_FILE with a file's path), or leave api.host at 127.0.0.1.",
    );

  function bearerOf({ headers }: FastifyRequest): { given: string | undefined; caller: Caller | undefined } {
    const [, given] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
    const hash = hashOf(given ?? "");
    // All are compared, each in constant time: how long it takes says nothing of any.
    const [found] = known.filter((one) => timingSafeEqual(one.hash, hash));
    return { given, caller: given === undefined ? undefined : found?.caller };
  }

  function assertKnown(request: FastifyRequest): Caller {
    const { given, caller } = bearerOf(request);
    if (caller !== undefined) return caller;
    throw refusal(
      "LG_API_TOKEN",
      given === undefined ? "There is no bearer token." : "The bearer token is not known.",
      "Send the header authorization: Bearer and one of the tokens of the configuration.",
      { headers: { "www-authenticate": 'Bearer realm="LogGuardian"' } },
    );
  }

  return {
    isOn,
    counterOf(request) {
      const caller = isOn ? bearerOf(request).caller : undefined;
      // An IPv6 host has as many addresses as it likes of the 64 bits that name its network.
      return caller === undefined ? normalizeIP(request.ip) : `token ${caller.name}`;
    },
    callerOf(request, scope) {
      if (!isOn) {
        assertFromHere(request);
        return anybody;
      }
      const caller = assertKnown(request);
      if (caller.scopes.has(scope) || caller.scopes.has("admin")) return caller;
      throw refusal(
        "LG_API_SCOPE",
        `The token ${caller.name} has not the scope ${scope}.`,
        "Use another token, or give it this scope in api.tokens.",
      );
    },
  };
}

/** Whether a caller may see what belongs to a pipeline, or to a replay of it. */
export function maySee({ pipelines }: Caller, pipeline: string): boolean {
  return pipelines === undefined || pipelines.has(pipeline.split(".replay.")[0] ?? "");
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/**
 * A browser here may be led to ask us by a page from elsewhere. Where no token tells, the name it used does: a page
 * cannot make it call us by a name of our own other than as a stranger, whom browsers tell by the header origin.
 */
function assertFromHere({ headers, host, hostname }: FastifyRequest): void {
  const { origin } = headers;
  const isSame = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
  if (isLoopback(hostname) && isSame && headers["sec-fetch-site"] !== "cross-site") return;
  throw refusal(
    "LG_API_HOST",
    `Without a token, only callers of this machine's own address are answered, not of ${hostname || "none"} or from another site.`,
    "Call http://127.0.0.1 or http://localhost, or set api.token (LOGGUARDIAN_API_TOKEN).",
  );
}

function callerNamed(name: string, scopes: readonly Scope[], pipelines?: readonly string[]): Caller {
  return {
    name,
    scopes: new Set(scopes),
    ...(pipelines === undefined ? {} : { pipelines: new Set(pipelines) }),
  };
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
