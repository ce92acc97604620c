import { loadConfig, printConfig } from "../../config/load.ts";
import { configurationReference } from "../../config/reference.ts";

interface Options {
  config?: string;
  print?: boolean;
  reference?: boolean;
}

export async function configCommand(options: Options): Promise<void> {
  if (options.reference === true) {
    process.stdout.write(configurationReference());
    return;
  }
  const config = loadConfig(options.config);
  if (options.print === true) process.stdout.write(printConfig(config));
  else console.log(`The configuration is good: pipelines ${Object.keys(config.pipelines).join(", ")}.`);
}
