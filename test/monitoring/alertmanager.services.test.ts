import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { freePorts } from "../../scripts/services.mjs";
import { until } from "../support/until.ts";
import { folder } from "./queries.ts";

it("tells of each kind of anomaly, each pipeline's storm and each operational alert by itself", async () => {
  const own = mkdtempSync(join(tmpdir(), "logguardian-route-"));
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    "prometheus-alertmanager",
    [
      ...[`--config.file=${join(folder, "alertmanager.yml")}`, `--storage.path=${own}`],
      ...[`--web.listen-address=127.0.0.1:${port}`, "--cluster.listen-address="],
    ],
    { stdio: "ignore" },
  );
  const ended = once(child, "exit");
  try {
    const isUp = () =>
      fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isUp, "Alertmanager answers");
    const alerts = ["one", "two"].flatMap((pipeline) => [
      { alertname: "LogAnomaly", pipeline, fingerprint: "a", severity: "warning" },
      { alertname: "LogAnomaly", pipeline, fingerprint: "a", severity: "critical" },
      { alertname: "LogAnomaly", pipeline, fingerprint: "b", severity: "warning" },
      { alertname: "LogAnomalyStorm", pipeline, severity: "critical" },
      { alertname: "LogGuardianUndecided", pipeline, severity: "warning" },
      { alertname: "LogGuardianDeadLetters", pipeline, severity: "warning" },
    ]);
    const posted = await fetch(`${url}/api/v2/alerts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(alerts.map((labels) => ({ labels }))),
    });
    expect(posted.status).toBe(200);
    const groups = async () => {
      const answer = await fetch(`${url}/api/v2/alerts/groups`);
      return (await answer.json()) as { labels: Record<string, string>; alerts: unknown[] }[];
    };
    const all = async () => (await groups()).reduce((sum, group) => sum + group.alerts.length, 0);
    await until(async () => (await all()) === alerts.length, "all alerts are grouped");
    const told = (await groups()).map(({ labels, alerts }) =>
      [labels.alertname, labels.pipeline, labels.fingerprint, alerts.length].join(" ").trim(),
    );
    expect(told.sort()).toEqual([
      "LogAnomaly one a 2",
      "LogAnomaly one b 1",
      "LogAnomaly two a 2",
      "LogAnomaly two b 1",
      "LogAnomalyStorm one  1",
      "LogAnomalyStorm two  1",
      "LogGuardianDeadLetters   2",
      "LogGuardianUndecided one  1",
      "LogGuardianUndecided two  1",
    ]);
  } finally {
    child.kill("SIGKILL");
    await ended;
    rmSync(own, { recursive: true, force: true });
  }
});
