import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../scripts/services.mjs";
import { until } from "./until.ts";

/** Longer than a busy machine leaves one waiting: one that lives must not be taken for dead. */
const nodeTimeoutMs = 5_000;

/** What Redis' own client prints for a command. */
function redisCli(port: number, ...args: string[]): string {
  return execFileSync("redis-cli", ["-p", String(port), ...args], { encoding: "utf8", stdio: "pipe" }).trim();
}

/** Servers of Redis with data of their own, which end with `stop`. */
function createNodes() {
  const folder = mkdtempSync(join(tmpdir(), "logguardian-redis-"));
  const nodes = new Map<number, ChildProcess>();
  return {
    folder,
    async start(port: number, args: string[]): Promise<void> {
      const dir = join(folder, String(port));
      mkdirSync(dir);
      const common = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", ""];
      nodes.set(port, spawn("redis-server", [...args, ...common], { stdio: "ignore" }));
      await until(() => answers(port), `the Redis on port ${port} answers`);
    },
    /** Ends one as a crash would. */
    kill: (port: number) => void nodes.get(port)?.kill("SIGKILL"),
    /** Ends a master likewise, once its replica has all it holds. */
    async killReplicated(port: number): Promise<void> {
      await until(() => isReplicated(port), `the replica of ${port} has everything`);
      nodes.get(port)?.kill("SIGKILL");
    },
    async stop(): Promise<void> {
      const ended = [...nodes.values()].map((node) =>
        node.signalCode === null ? new Promise((end) => node.once("exit", end)) : undefined,
      );
      for (const node of nodes.values()) node.kill("SIGKILL");
      await Promise.all(ended);
      rmSync(folder, { recursive: true });
    },
  };
}

function answers(port: number): boolean {
  try {
    return redisCli(port, "ping") === "PONG";
  } catch {
    return false;
  }
}

/** One that a test may set as it likes. */
export async function startRedis() {
  const [port = 0] = await freePorts(1);
  const nodes = createNodes();
  await nodes.start(port, []);
  return { url: `redis://127.0.0.1:${port}`, stop: nodes.stop };
}

/** A cluster of three masters with a replica each. */
export async function startRedisCluster() {
  const ports = await freePorts(12);
  const nodes = createNodes();
  const own = ports.slice(0, 6);
  await Promise.all(
    own.map((port, place) =>
      nodes.start(port, [
        ...["--cluster-enabled", "yes", "--cluster-port", String(ports[6 + place])],
        ...["--cluster-node-timeout", String(nodeTimeoutMs), "--repl-diskless-sync-delay", "0"],
      ]),
    ),
  );
  const addresses = own.map((port) => `127.0.0.1:${port}`);
  execFileSync("redis-cli", [
    ...["--cluster", "create", ...addresses, "--cluster-replicas", "1", "--cluster-yes"],
  ]);
  await until(
    () =>
      own.every((port) => redisCli(port, "cluster", "info").includes("cluster_state:ok") && isSynced(port)),
    "the cluster is whole",
  );
  return {
    urls: addresses.map((address) => `redis://${address}`),
    /** Kills the master that holds a key. */
    async killMasterOf(key: string): Promise<void> {
      const slot = Number(redisCli(own[0] ?? 0, "cluster", "keyslot", key));
      const master = own.find((port) => holds(redisCli(port, "cluster", "nodes"), slot));
      await nodes.killReplicated(master ?? 0);
    },
    stop: nodes.stop,
  };
}

/** Whether the node whose view this is (`CLUSTER NODES`) is the master of a slot. */
function holds(view: string, slot: number): boolean {
  const [, , flags = "", , , , , , ...ranges] =
    view
      .split("\n")
      .find((line) => line.includes("myself"))
      ?.split(" ") ?? [];
  return (
    flags.includes("master") &&
    ranges.some((range) => {
      const [from = 0, to = from] = range.split("-").map(Number);
      return from <= slot && slot <= to;
    })
  );
}

function isSynced(port: number): boolean {
  const info = redisCli(port, "info", "replication");
  return info.includes("role:master")
    ? info.includes("state=online")
    : info.includes("master_link_status:up");
}

function isReplicated(master: number): boolean {
  const info = redisCli(master, "info", "replication");
  const [, offset] = /master_repl_offset:(\d+)/.exec(info) ?? [];
  return info.includes(`state=online,offset=${offset},`);
}

/** A master with a replica, and the Sentinel that watches them. */
export async function startRedisWithSentinel() {
  const [master = 0, replica = 0, sentinel = 0] = await freePorts(3);
  const nodes = createNodes();
  await nodes.start(master, []);
  await nodes.start(replica, ["--replicaof", `127.0.0.1 ${master}`]);
  await until(() => isSynced(replica) && isSynced(master), "the replica follows");
  const file = join(nodes.folder, "sentinel.conf");
  writeFileSync(
    file,
    [
      `sentinel monitor main 127.0.0.1 ${master} 1`,
      `sentinel down-after-milliseconds main ${nodeTimeoutMs}`,
      "sentinel failover-timeout main 5000",
    ].join("\n"),
  );
  await nodes.start(sentinel, [file, "--sentinel"]);
  await until(
    () => redisCli(sentinel, "sentinel", "replicas", "main").includes(String(replica)),
    "Sentinel knows the replica",
  );
  return {
    sentinel: { urls: [`redis://127.0.0.1:${sentinel}`], name: "main" },
    killMaster: () => nodes.killReplicated(master),
    /** What is written from here on reaches the master only. */
    async endReplication(): Promise<void> {
      await until(() => isReplicated(master), "the replica has everything");
      redisCli(replica, "config", "set", "masterauth", "not the master's");
      redisCli(master, "client", "kill", "type", "replica");
      await until(() => !isSynced(replica), "the replica is cut off");
    },
    killUnreplicated: () => nodes.kill(master),
    stop: nodes.stop,
  };
}
