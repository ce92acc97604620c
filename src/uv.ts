import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LogGuardianError } from "./errors.ts";
import { packageRoot } from "./package-root.ts";

/** What runs a module of training/ in the environment that uv.lock fixes; relative paths mean what they mean here. */
export interface PythonCommand {
  program: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

/**
 * @param what that needs it, for the message where it is missing
 * @throws LogGuardianError LG_UV_MISSING
 */
export function pythonModule(module: string, args: readonly string[], what: string): PythonCommand {
  const folder = join(packageRoot(), "training");
  return {
    program: findUv(what),
    args: ["run", "--quiet", "--frozen", "--project", folder, "python", "-m", module, ...args],
    env: { ...process.env, PYTHONPATH: folder },
  };
}

/**
 * The one named in LOGGUARDIAN_UV, the one in PATH, or the one that `npm test` installs in a repository.
 * @throws LogGuardianError LG_UV_MISSING
 */
export function findUv(what: string): string {
  // An empty variable is how Compose and shells unset one.
  const named = process.env.LOGGUARDIAN_UV || undefined;
  const own = join(packageRoot(), "build/uv/bin/uv");
  const candidates = named === undefined ? ["uv", ...(existsSync(own) ? [own] : [])] : [named];
  const found = candidates.find((uv) => spawnSync(uv, ["--version"], { stdio: "ignore" }).status === 0);
  if (found !== undefined) return found;
  throw new LogGuardianError(
    "LG_UV_MISSING",
    `Python runs through uv, which cannot be started (${candidates[0]}). It is needed for ${what}.`,
    "Install uv (https://docs.astral.sh/uv/), or name it in LOGGUARDIAN_UV.",
  );
}
