import { styleText } from "node:util";
import { type Alertmanager, offerToAll } from "../../../alert/alertmanager.ts";
import { sampleAlert } from "../../../alert/sample.ts";
import { durationOf, loadConfig, pipelineOf } from "../../../config/load.ts";
import { LogGuardianError, reasonOf } from "../../../errors.ts";
import { alertmanagersOf, contentOptionsOf } from "../../../pipeline/alerting.ts";
import { visible } from "../../../verdict/visible.ts";
import { exitCodes } from "../../exit-codes.ts";

interface Options {
  pipeline?: string;
  severity?: string;
  config?: string;
  json?: boolean;
}

export async function alertTestCommand(options: Options): Promise<void> {
  const config = loadConfig(options.config);
  const { severity } = options;
  const name = options.pipeline ?? Object.keys(config.pipelines)[0] ?? "";
  const { alert } = pipelineOf(config, name);
  const alertmanagers = alertmanagersOf(config);
  if (alertmanagers.length === 0)
    throw new LogGuardianError(
      "LG_USAGE",
      "alertmanager.urls is empty: there is nobody to send to.",
      "Set it in the configuration, or LOGGUARDIAN_ALERTMANAGER_URLS.",
    );
  const content = contentOptionsOf(config, { alert });
  const labels = { ...alert.labels, ...(severity === undefined ? {} : { severity }) };
  const sample = sampleAlert(name, { ...content, labels }, durationOf(alert.hold));
  const answers = await offerToAll(alertmanagers, [sample]);
  const rows = await Promise.all(
    answers.map(async ({ url, error }) =>
      error === undefined
        ? { url, taken: true, receivers: await receiversAt(alertmanagers, url, sample.labels) }
        : { url, taken: false, error: reasonOf(error) },
    ),
  );
  if (options.json === true) console.log(JSON.stringify({ alert: sample, answers: rows }));
  else
    for (const { url, taken, receivers = [], error } of rows)
      console.log(
        taken
          ? `${styleText("green", "ok")}    ${url} took it, for ${receivers.length === 0 ? "no receiver" : visible(receivers.join(", "))}; it ends by itself at ${sample.endsAt}`
          : `${styleText("red", "FAIL")}  ${error}`,
      );
  if (rows.some(({ taken }) => !taken)) process.exitCode = exitCodes.failed;
}

/** Nobody where it does not say: a proxy may let alerts in and nothing out. */
async function receiversAt(
  alertmanagers: readonly Alertmanager[],
  url: string,
  labels: Record<string, string>,
): Promise<string[]> {
  const one = alertmanagers.find((alertmanager) => alertmanager.url === url);
  return (await one?.receiversOf(labels).catch(() => undefined)) ?? [];
}
