import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { stringify } from "yaml";
import { freePorts } from "../../scripts/services.mjs";
import { until } from "./until.ts";

export interface ToldAlert {
  status: "firing" | "resolved";
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  generatorURL: string;
}

/** What a receiver is told at once. */
export interface Notification {
  status: "firing" | "resolved";
  alerts: ToldAlert[];
}

/** A real Alertmanager with data of its own, and somebody whom it tells. */
export class TestAlertmanager {
  readonly url: string;
  /** All that its receiver was told, in order. */
  readonly notifications: Notification[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "logguardian-alertmanager-"));
  readonly #receiver: Server;
  readonly #port: number;
  readonly #isUp: () => Promise<boolean>;
  #child: ChildProcess | undefined;

  private constructor(port: number, receiver: Server, web: object, isUp: (url: string) => Promise<boolean>) {
    this.#port = port;
    this.#receiver = receiver;
    const isSecured = "tls_server_config" in web;
    this.url = `${isSecured ? "https" : "http"}://127.0.0.1:${port}`;
    this.#isUp = () => isUp(this.url);
    receiver.on("request", async (request, response) => {
      this.notifications.push((await json(request)) as Notification);
      response.end();
    });
    const hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    const config = {
      route: {
        receiver: "hook",
        group_by: ["pipeline", "alertname", "fingerprint"],
        group_wait: "0s",
        group_interval: "1s",
        repeat_interval: "12h",
      },
      receivers: [{ name: "hook", webhook_configs: [{ url: hook }] }],
    };
    writeFileSync(join(this.#folder, "alertmanager.yml"), stringify(config));
    writeFileSync(join(this.#folder, "web.yml"), stringify(web));
  }

  /** @param web as `--web.config.file` takes it. @param isUp whether it answers. */
  static async create(
    web: object = {},
    isUp = async (url: string) => (await fetch(`${url}/-/ready`)).ok,
  ): Promise<TestAlertmanager> {
    const [port = 0] = await freePorts(1);
    const receiver = createServer();
    await once(receiver.listen(0, "127.0.0.1"), "listening");
    return new TestAlertmanager(port, receiver, web, isUp);
  }

  async start(): Promise<void> {
    const log = join(this.#folder, "log");
    const file = openSync(log, "a");
    const args = [
      ...[`--config.file=${join(this.#folder, "alertmanager.yml")}`, `--storage.path=${this.#folder}`],
      ...[`--web.listen-address=127.0.0.1:${this.#port}`, "--cluster.listen-address="],
      `--web.config.file=${join(this.#folder, "web.yml")}`,
    ];
    this.#child = spawn("prometheus-alertmanager", args, { stdio: ["ignore", file, file] });
    await until(() => this.#isUp().catch(() => false), "Alertmanager answers", 60_000).catch((thrown) => {
      throw new Error(`${thrown.message} ${readFileSync(log, "utf8").slice(-1000)}`);
    });
  }

  /** In order: it keeps what it has told. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  }

  async end(): Promise<void> {
    this.#child?.kill("SIGKILL");
    this.#receiver.closeAllConnections();
    this.#receiver.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Those that fire now. */
  async firing(): Promise<ToldAlert[]> {
    return (await (await fetch(`${this.url}/api/v2/alerts?active=true`)).json()) as ToldAlert[];
  }

  /** `firing` or `resolved` with what was told of each: an alertname, fingerprint and severity. */
  told(): string[] {
    return this.notifications.map(({ alerts }) =>
      alerts
        .map(({ status, labels }) =>
          [status, labels.alertname, labels.fingerprint, labels.severity].filter((part) => part).join(" "),
        )
        .sort()
        .join(", "),
    );
  }
}
