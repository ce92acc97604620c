import { loadConfig } from "../config/load.ts";
import { LogGuardianError, told } from "../errors.ts";
import type { RoleName } from "./names.ts";
import { runRoles } from "./run-roles.ts";

/** The whole of a worker process: one role, configured by LOGGUARDIAN_CONFIG or ./logguardian.yaml. */
export async function runWorker(role: RoleName): Promise<never> {
  try {
    await runRoles(loadConfig(undefined), [role]);
    process.exit(0);
  } catch (thrown) {
    console.error(thrown instanceof LogGuardianError ? told(thrown) : thrown);
    process.exit(1);
  }
}
