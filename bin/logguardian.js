#!/usr/bin/env node
// Says which Node it needs before anything newer is parsed. In a checkout (no dist/) it runs the TypeScript itself, with
// the checkout's own Node where this one is too old.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split(".").map(Number);
const recent = major > 22 || (major === 22 && minor >= 18);
const source = join(root, "src/cli/main.ts");
const compiled = join(root, "dist/src/cli/main.js");
const ownNode = join(root, "node_modules/.bin/node");

if (recent) {
  await import(pathToFileURL(existsSync(source) ? source : compiled).href);
} else if (existsSync(ownNode)) {
  const again = spawnSync(ownNode, process.argv.slice(1), { stdio: "inherit" });
  process.exit(again.status ?? 1);
} else {
  console.error(
    `LogGuardian needs Node 22.18 or newer; this is ${process.versions.node}. Install a newer Node.`,
  );
  process.exit(2);
}
