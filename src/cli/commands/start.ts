import { loadConfig, loadConfigOfApi } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { LogGuardianError } from "../../errors.ts";
import { type RoleName, roleNames } from "../../pipeline/names.ts";
import { runRoles } from "../../pipeline/run-roles.ts";
import { parseWhole } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";

interface Options {
  config?: string;
  host?: string;
  port?: string;
}

export async function startCommand(named: string[], options: Options): Promise<void> {
  const unknown = named.filter((role) => !roleNames.includes(role as RoleName));
  if (unknown.length > 0)
    throw new LogGuardianError(
      "LG_USAGE",
      `There is no role ${unknown.join(", ")}.`,
      `Roles are ${roleNames.join(", ")}; without any, all run.`,
    );
  const roles = named.length === 0 ? roleNames : (named as RoleName[]);
  if ((options.port ?? options.host) !== undefined && !roles.includes("api"))
    throw new LogGuardianError(
      "LG_USAGE",
      "--host and --port belong to the role api.",
      "Name it, or leave them out.",
    );
  if (named.length === 1 && roles.includes("api")) {
    const { config, isEmbedded } = loadConfigOfApi(options.config);
    const run = isEmbedded ? (await import("../../pipeline/embedded-api.ts")).runEmbeddedApi : runApiRole;
    await run(at(config, options));
  } else await runRoles(at(loadConfig(options.config), options), roles);
  // While the broker is away kafkajs goes on joining, though it was told to leave.
  process.exit(exitCodes.ok);
}

const runApiRole = (config: Config) => runRoles(config, ["api"]);

/** The API where the command line wants it. @throws LogGuardianError LG_USAGE. */
function at(config: Config, { host = config.api.host, port }: Options): Config {
  const chosen = port === undefined ? config.api.port : parseWhole(port, "--port", 0);
  return { ...config, api: { ...config.api, host, port: chosen } };
}
