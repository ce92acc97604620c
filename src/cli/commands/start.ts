import { loadConfig } from "../../config/load.ts";
import { LogGuardianError } from "../../errors.ts";
import { type RoleName, roleNames } from "../../pipeline/names.ts";
import { runRoles } from "../../pipeline/run-roles.ts";
import { exitCodes } from "../exit-codes.ts";

export async function startCommand(roles: string[], options: { config?: string }): Promise<void> {
  const unknown = roles.filter((role) => !roleNames.includes(role as RoleName));
  if (unknown.length > 0)
    throw new LogGuardianError(
      "LG_USAGE",
      `There is no role ${unknown.join(", ")}.`,
      `Roles are ${roleNames.join(", ")}; without any, all run.`,
    );
  const config = loadConfig(options.config);
  await runRoles(config, roles.length === 0 ? roleNames : (roles as RoleName[]));
  // While the broker is away kafkajs goes on joining, though it was told to leave.
  process.exit(exitCodes.ok);
}
