import { loadConfig, printConfig } from "../../config/load.ts";

export async function configCommand(options: { config?: string; print?: boolean }): Promise<void> {
  const config = loadConfig(options.config);
  if (options.print === true) process.stdout.write(printConfig(config));
  else console.log(`The configuration is good: pipelines ${Object.keys(config.pipelines).join(", ")}.`);
}
