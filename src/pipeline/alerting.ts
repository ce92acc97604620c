import { type Alertmanager, createAlertmanager } from "../alert/alertmanager.ts";
import type { ContentOptions } from "../alert/content.ts";
import { readPem } from "../config/pem.ts";
import type { PipelineConfig } from "../config/pipeline-schema.ts";
import type { Config } from "../config/schema.ts";

/** All that the configuration names. @throws LogGuardianError LG_CONFIG_PEM. */
export function alertmanagersOf({ alertmanager }: Pick<Config, "alertmanager">): Alertmanager[] {
  const { urls, tls: files, ...account } = alertmanager;
  const tls = files === undefined ? undefined : readPem(files, "alertmanager.tls");
  return urls.map((url) => createAlertmanager({ url, ...account, tls }));
}

/** What a pipeline's alerts say. */
export function contentOptionsOf(config: Config, { alert }: Pick<PipelineConfig, "alert">): ContentOptions {
  return {
    ...alert,
    publicUrl: config.api.publicUrl,
    alertmanager: config.alertmanager.urls[0],
  };
}
