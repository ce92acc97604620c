import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../support/data.ts";

const page = readFileSync(join(root, "docs/alerts.md"), "utf8");

it("the documented route is one that Alertmanager understands, and leads where the page says", () => {
  const [, yaml = ""] = /```yaml\n(route:[\s\S]*?)```/.exec(page) ?? [];
  const file = join(mkdtempSync(join(tmpdir(), "logguardian-route-")), "alertmanager.yml");
  writeFileSync(file, yaml);
  const amtool = (...args: string[]) => execFileSync("amtool", [...args], { encoding: "utf8" }).trim();
  expect(amtool("check-config", file)).toContain("SUCCESS");
  const receiverOf = (...labels: string[]) =>
    amtool("config", "routes", "test", `--config.file=${file}`, ...labels);
  expect(receiverOf("alertname=LogAnomaly", "severity=critical", "pipeline=hdfs")).toBe("pager");
  expect(receiverOf("alertname=LogAnomaly", "severity=warning", "pipeline=hdfs")).toBe("chat");
  expect(receiverOf("alertname=LogAnomalyStorm", "severity=critical", "pipeline=hdfs")).toBe("pager");
  expect(receiverOf("alertname=LogGuardianDown", "severity=critical")).toBe("pager");
  expect(receiverOf("alertname=LogGuardianUndecided", "severity=warning", "pipeline=hdfs")).toBe("operators");
});
