import { Cluster, Redis } from "ioredis";
import { readPem } from "../config/pem.ts";
import type { Config } from "../config/schema.ts";
import { withoutSecrets } from "../config/url.ts";

const commandTimeoutMs = 10_000;

export type Connection = Redis | Cluster;

/**
 * To one server, to the master that Sentinel names, or to a cluster; not yet connected.
 * @param reconnectAfter milliseconds, by how often it was tried; null ends the connection.
 */
export function createConnection(
  config: Config["redis"],
  reconnectAfter: (times: number) => number | null,
): Connection {
  const { url, cluster, sentinel } = config;
  const common = optionsOf(config);
  if (cluster !== undefined)
    return new Cluster(cluster, {
      lazyConnect: true,
      // A command that finds no cluster fails, so that the wait for it has a name.
      enableOfflineQueue: false,
      clusterRetryStrategy: reconnectAfter,
      // A certificate holds the name that the cluster announces, not the address behind it.
      ...(common.tls === undefined ? {} : { dnsLookup: (address, found) => found(null, address) }),
      redisOptions: common,
    });
  const single = { ...common, lazyConnect: true, maxRetriesPerRequest: 1, retryStrategy: reconnectAfter };
  if (sentinel === undefined) return new Redis(url, single);
  return new Redis({
    ...single,
    name: sentinel.name,
    sentinels: sentinel.urls.map(addressOf),
    sentinelRetryStrategy: reconnectAfter,
    // Leaves the former master even where it lives on.
    failoverDetector: true,
    ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password }),
    ...(common.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: common.tls }),
  });
}

/** Where Redis is looked for, and the setting that says so. */
export function whereabouts({ url, cluster, sentinel }: Config["redis"]): { where: string; setting: string } {
  const [urls, setting] =
    cluster !== undefined
      ? [cluster, "redis.cluster"]
      : sentinel !== undefined
        ? [sentinel.urls, "redis.sentinel.urls"]
        : [[url], "redis.url"];
  return { where: urls.map(withoutSecrets).join(", "), setting };
}

function optionsOf({ url, cluster, sentinel, username, password, tls }: Config["redis"]) {
  const isSecured = (cluster ?? sentinel?.urls ?? [url]).some((one) => one.startsWith("rediss:"));
  return {
    commandTimeout: commandTimeoutMs,
    connectionName: "logguardian",
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isSecured || tls !== undefined ? { tls: tls === undefined ? {} : readPem(tls, "redis.tls") } : {}),
  };
}

function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port || 26_379) };
}
