import { readFileSync } from "node:fs";
import { join } from "node:path";
import { variableOf } from "../config/environment.ts";
import type { Config } from "../config/schema.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { retry } from "../retry.ts";
import type { Health, Wait } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type Connection, createConnection, whereabouts } from "./connection.ts";

const connectTries = 5;

export interface RedisClient {
  /** Runs a script of `src/redis/lua`; its result as the script returns it. */
  script(
    name: ScriptName,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown>;
  /** A whole hash, read in parts of about so many fields: all that is there while it is being read. */
  hash(key: string, fieldsAtATime: number): Promise<Map<string, Buffer>>;
  /** One field of a hash. */
  field(key: string, name: string): Promise<Buffer | undefined>;
  ping(): Promise<string>;
  /** Its maxmemory-policy; `noeviction` too where it has no limit, undefined where it does not say. */
  evictionPolicy(): Promise<string | undefined>;
  close(): Promise<void>;
}

const scripts = [
  "windows-write",
  "windows-acknowledge",
  "scoring-begin",
  "scoring-end",
  "early-set",
  "early-states",
  "alert-seen",
  "alert-raised",
  "alert-withdraw",
  "alert-undecided",
  "alert-calm",
  "alert-forget",
  "alert-told",
  "alert-told-at",
  "feedback-begin",
  "feedback-apply",
  "feedback-at",
  "index-open",
  "index-put",
  "index-say",
  "index-advance",
  "index-page",
  "index-get",
  "index-changes",
  "index-trim",
  "index-size",
  "job-add",
  "job-ids",
  "job-get",
  "job-claim",
  "job-report",
  "job-release",
  "job-end",
  "job-remove",
  "job-results",
] as const;
export type ScriptName = (typeof scripts)[number];

/** What scripts begin with that keep one rule. */
const beginnings: Partial<Record<ScriptName, string>> = {
  "feedback-apply": "what-holds",
  "index-say": "what-holds",
};

/**
 * Connects. Afterwards an absent or full Redis is waited for, with a name that health shows, until `signal` ends it.
 * @throws LogGuardianError LG_REDIS_AUTH, LG_REDIS_AWAY where no connection can be made at first.
 */
export async function connectRedis(
  config: Config["redis"],
  deps: { logger: Logger; health: Health; signal?: AbortSignal },
): Promise<RedisClient> {
  const { logger, health, signal } = deps;
  let isConnected = false;
  // The first connection is ours to try again; ioredis' own attempts would outlive a failure.
  const redis = createConnection(config, (times) => (isConnected ? Math.min(2_000, 50 * 2 ** times) : null));
  let lastError: unknown;
  redis.on("error", (error) => {
    // A cluster's error hides what a node said.
    lastError = error.lastNodeError ?? error;
  });
  await retry(() => redis.connect(), {
    attempts: connectTries,
    signal,
    isTransient: () => !isRefused(lastError),
  }).catch((thrown) => {
    redis.disconnect();
    throw connectError(config, lastError ?? thrown);
  });
  isConnected = true;
  let isClosing = false;
  let isReturning = false;
  // ioredis ends for good where it hears of a failover while it asks Sentinel for the master; a try that fails ends again.
  async function comeBack(): Promise<void> {
    if (isClosing || isReturning) return;
    isReturning = true;
    await retry(() => (redis.status === "end" ? redis.connect() : Promise.resolve()), {
      signal,
      isTransient: () => !isClosing && redis.status === "end",
    }).catch(() => undefined);
    isReturning = false;
  }
  redis.on("end", () => void comeBack());
  for (const name of scripts)
    redis.defineCommand(commandOf(name), {
      lua: [beginnings[name] ?? [], name].flat().map(sourceOf).join("\n"),
    });

  async function patiently<T>(operation: () => Promise<T>): Promise<T> {
    let wait: { name: Wait; end: () => void } | undefined;
    try {
      return await retry(operation, {
        signal,
        isTransient: (thrown) => waitFor(thrown) !== undefined,
        onFailure(thrown) {
          const name = waitFor(thrown) ?? "redis-away";
          if (wait?.name === name) return;
          wait?.end();
          logger.warn("Waiting for Redis; nothing is committed meanwhile.", {
            wait: name,
            error: reasonOf(thrown),
          });
          wait = { name, end: health.wait(name) };
        },
      });
    } finally {
      if (wait !== undefined) {
        wait.end();
        logger.info("Redis answers again.", {});
      }
    }
  }

  return {
    script: (name, keys, args) => patiently(() => scriptCall(redis, name, keys, args)),
    // Once more from its beginning: a cursor means nothing to another server.
    hash: (key, fieldsAtATime) => patiently(() => readHash(redis, key, fieldsAtATime)),
    field: async (key, name) => (await patiently(() => redis.hgetBuffer(key, name))) ?? undefined,
    ping: () => redis.ping(),
    evictionPolicy: async () => evictionPolicyOf(await redis.info("memory").catch(() => "")),
    async close() {
      isClosing = true;
      await redis.quit().catch(() => redis.disconnect());
    },
  };
}

async function readHash(redis: Connection, key: string, fieldsAtATime: number): Promise<Map<string, Buffer>> {
  const hash = new Map<string, Buffer>();
  let cursor = "0";
  do {
    const [next, fields] = await redis.hscanBuffer(key, cursor, "COUNT", fieldsAtATime);
    for (let at = 0; at + 1 < fields.length; at += 2)
      hash.set(String(fields[at]), fields[at + 1] ?? Buffer.alloc(0));
    cursor = String(next);
  } while (cursor !== "0");
  return hash;
}

function evictionPolicyOf(info: string): string | undefined {
  const fieldOf = (name: string) => new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1];
  return fieldOf("maxmemory") === "0" ? "noeviction" : fieldOf("maxmemory_policy");
}

function scriptCall(
  redis: Connection,
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
): Promise<unknown> {
  const commands = redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const command = commands[commandOf(name)];
  if (command === undefined) throw new Error(`The script ${name} is not defined.`);
  return command.call(redis, keys.length, ...keys, ...args);
}

function sourceOf(name: string): string {
  return readFileSync(join(import.meta.dirname, "lua", `${name}.lua`), "utf8");
}

function commandOf(name: ScriptName): string {
  return `lg_${name}`;
}

/** Connections that fail, by Node's codes and ioredis' messages. */
const away =
  /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)|^(Connection is closed|Command timed out|Reached the max retries|Socket timeout|Stream isn't writeable|connect ETIMEDOUT|Cluster isn't ready|None of startup nodes|Too many Cluster redirections|All sentinels are unreachable)/;
/** Answers of a server that cannot serve now. */
const notNow = /^(LOADING|MASTERDOWN|READONLY|TRYAGAIN|CLUSTERDOWN|BUSY|NOREPLICAS)\b/;
const full = /^(OOM|MISCONF)\b/;

/** The named wait that an error calls for; undefined where waiting does not help. */
export function waitFor(thrown: unknown): Wait | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code = "" } = thrown as NodeJS.ErrnoException;
  if (full.test(thrown.message)) return "redis-full";
  return [code, thrown.message].some((text) => away.test(text) || notNow.test(text))
    ? "redis-away"
    : undefined;
}

function isRefused(thrown: unknown): boolean {
  return /WRONGPASS|NOAUTH|NOPERM|invalid username-password|certificate/i.test(reasonOf(thrown));
}

function connectError(config: Config["redis"], thrown: unknown): LogGuardianError {
  const { where, setting } = whereabouts(config);
  return isRefused(thrown)
    ? new LogGuardianError(
        "LG_REDIS_AUTH",
        `Redis at ${where} refuses the connection: ${reasonOf(thrown)}.`,
        "Check redis.username, redis.password and redis.tls.",
        thrown,
      )
    : new LogGuardianError(
        "LG_REDIS_AWAY",
        `Redis at ${where} does not answer: ${reasonOf(thrown)}.`,
        `Start it, or correct ${setting} (${variableOf(setting.split("."))}).`,
        thrown,
      );
}
