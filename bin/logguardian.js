#!/usr/bin/env -S node --max-semi-space-size=16
// V8's young generation otherwise breathes between 8 and 64 MB: too much for who watches a process' memory.
//
// Says which Node it needs before anything newer is parsed. In a checkout (no dist/) it runs the TypeScript itself, with
// the checkout's own Node where this one is too old.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { isatty } from "node:tty";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split(".").map(Number);
const recent = major > 22 || (major === 22 && minor >= 18);
const source = join(root, "src/cli/main.ts");
const compiled = join(root, "dist/src/cli/main.js");
const ownNode = join(root, "node_modules/.bin/node");

if (recent) {
  endWithStarter();
  await import(pathToFileURL(existsSync(source) ? source : compiled).href);
} else if (existsSync(ownNode)) {
  runAgain();
} else {
  console.error(
    `LogGuardian needs Node 22.18 or newer; this is ${process.versions.node}. Install a newer Node.`,
  );
  process.exit(2);
}

/** The same command with the checkout's Node: signals reach it, and this process ends as it does. */
function runAgain() {
  const again = spawn(ownNode, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  // A terminal's Ctrl-C reaches it by itself, and a second one would cut its ending short.
  const forwardsInterrupt = ![0, 1, 2].some(isatty);
  process.on("SIGINT", () => forwardsInterrupt && again.kill("SIGINT"));
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => again.kill(signal));
  again.once("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** Of a process that was started with a channel: a starter that was killed leaves it behind otherwise. */
function endWithStarter() {
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel?.unref();
}
