import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChainableCommander, Redis } from "ioredis";
import { readPem } from "../config/pem.ts";
import type { Config } from "../config/schema.ts";
import { withoutSecrets } from "../config/url.ts";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { retry } from "../retry.ts";
import type { Health, Wait } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/logger.ts";

const commandTimeoutMs = 10_000;
const connectTries = 5;

export interface RedisClient {
  /** Runs a script of `src/redis/lua`; its result as the script returns it. */
  script(
    name: ScriptName,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown>;
  /** Several reads in one transaction, values as bytes. */
  read(commands: (transaction: ChainableCommander) => ChainableCommander): Promise<unknown[]>;
  deleteFields(key: string, fields: readonly string[]): Promise<void>;
  ping(): Promise<string>;
  close(): Promise<void>;
}

const scripts = ["windows-apply", "windows-reset", "alert-seen"] as const;
export type ScriptName = (typeof scripts)[number];

/**
 * Connects. Afterwards an absent or full Redis is waited for, with a name that health shows, until `signal` ends it.
 * @throws LogGuardianError LG_REDIS_AUTH, LG_REDIS_AWAY where no connection can be made at first.
 */
export async function connectRedis(
  config: Config["redis"],
  deps: { logger: Logger; health: Health; signal?: AbortSignal },
): Promise<RedisClient> {
  const { logger, health, signal } = deps;
  const redis = new Redis(config.url, optionsOf(config));
  let lastError: unknown;
  redis.on("error", (error) => {
    lastError = error;
  });
  await retry(() => redis.connect(), {
    attempts: connectTries,
    signal,
    isTransient: () => !isRefused(lastError),
  }).catch((thrown) => {
    redis.disconnect();
    throw connectError(config.url, lastError ?? thrown);
  });
  for (const name of scripts)
    redis.defineCommand(commandOf(name), {
      lua: readFileSync(join(import.meta.dirname, "lua", `${name}.lua`), "utf8"),
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
    read: (commands) =>
      patiently(async () => {
        const results = await commands(redis.multi()).exec();
        return (results ?? []).map(([error, value]) => {
          if (error) throw error;
          return value;
        });
      }),
    deleteFields: (key, fields) => patiently(async () => void (await redis.hdel(key, ...fields))),
    ping: () => redis.ping(),
    async close() {
      await redis.quit().catch(() => redis.disconnect());
    },
  };
}

function scriptCall(
  redis: Redis,
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
): Promise<unknown> {
  const commands = redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const command = commands[commandOf(name)];
  if (command === undefined) throw new Error(`The script ${name} is not defined.`);
  return command.call(redis, keys.length, ...keys, ...args);
}

function commandOf(name: ScriptName): string {
  return `lg_${name}`;
}

function optionsOf({ username, password, tls }: Config["redis"]) {
  return {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    commandTimeout: commandTimeoutMs,
    retryStrategy: (times: number) => Math.min(2_000, 50 * 2 ** times),
    connectionName: "logguardian",
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: readPem(tls, "redis.tls") }),
  };
}

/** The named wait that an error calls for; undefined where waiting does not help. */
function waitFor(thrown: unknown): Wait | undefined {
  const message = reasonOf(thrown);
  if (/^OOM\b/.test(message)) return "redis-full";
  if (/^(WRONGPASS|NOAUTH|NOPERM|WRONGTYPE|ERR )/.test(message)) return undefined;
  return thrown instanceof Error ? "redis-away" : undefined;
}

function isRefused(thrown: unknown): boolean {
  return /WRONGPASS|NOAUTH|NOPERM|invalid username-password|certificate/i.test(reasonOf(thrown));
}

function connectError(url: string, thrown: unknown): LogGuardianError {
  const where = withoutSecrets(url);
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
        "Start it, or correct redis.url (LOGGUARDIAN_REDIS_URL).",
        thrown,
      );
}
