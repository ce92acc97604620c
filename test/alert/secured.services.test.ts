import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Alert } from "../../src/alert/alert.ts";
import { createAlertmanager } from "../../src/alert/alertmanager.ts";
import { TestAlertmanager } from "../support/alertmanager.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-tls-"));
const at = (name: string) => join(folder, name);
const pem = (name: string) => readFileSync(at(name), "utf8");
/** bcrypt of the password below. */
const passwordHash = "$2a$04$RRYbAODaAnsWGa79BRzgLeNmAdNhgJwjpaBdvrS..jZJ85JQg2irG";
const account = { username: "logguardian", password: "a secret" };

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

/** An authority of our own, and what it signs for the server and for its client. */
function makeCertificates(): void {
  const newKey = ["-newkey", "rsa:2048", "-nodes"];
  openssl("req", "-x509", ...newKey, "-subj", "/CN=authority", "-keyout", at("ca.key"), "-out", at("ca.pem"));
  for (const name of ["server", "client"]) {
    openssl(
      "req",
      ...newKey,
      "-subj",
      "/CN=127.0.0.1",
      "-keyout",
      at(`${name}.key`),
      "-out",
      at(`${name}.csr`),
      "-addext",
      "subjectAltName=IP:127.0.0.1",
    );
    openssl(
      "x509",
      "-req",
      "-in",
      at(`${name}.csr`),
      "-CA",
      at("ca.pem"),
      "-CAkey",
      at("ca.key"),
      "-CAcreateserial",
      "-copy_extensions",
      "copy",
      "-out",
      at(`${name}.pem`),
    );
  }
}

const alert = (name: string): Alert => ({
  labels: { alertname: name },
  annotations: {},
  startsAt: new Date().toISOString(),
  endsAt: new Date(Date.now() + 300_000).toISOString(),
});

describe("an Alertmanager that lets not everybody in", () => {
  let am: TestAlertmanager;
  beforeAll(async () => {
    makeCertificates();
    const web = {
      tls_server_config: {
        cert_file: at("server.pem"),
        key_file: at("server.key"),
        client_ca_file: at("ca.pem"),
        client_auth_type: "RequireAndVerifyClientCert",
      },
      basic_auth_users: { [account.username]: passwordHash },
    };
    am = await TestAlertmanager.create(web, async (url) => (await whole(url).version()) !== "");
    await am.start();
  });
  afterAll(async () => {
    await am.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const tls = () => ({ ca: pem("ca.pem"), cert: pem("client.pem"), key: pem("client.key") });
  const whole = (url: string) => createAlertmanager({ url, ...account, tls: tls() });

  it("takes alerts over TLS by its own authority, with a client's certificate, a name and a password", async () => {
    await whole(am.url).post([alert("secured")]);
    await expect.poll(() => am.notifications.length, { timeout: 30_000 }).toBe(1);
    expect(await whole(am.url).receiversOf({ alertname: "secured" })).toEqual(["hook"]);
  });

  it.each([
    [
      "a wrong password",
      () => ({ ...account, password: "another", tls: tls() }),
      "LG_ALERTMANAGER_REFUSED",
      /answers 401/,
    ],
    [
      "no certificate",
      () => ({ ...account, tls: { ca: pem("ca.pem") } }),
      "LG_ALERTMANAGER_AWAY",
      /does not take alerts/,
    ],
    [
      "an authority that is not known",
      () => account,
      "LG_ALERTMANAGER_AWAY",
      /self.signed certificate|unable to verify/,
    ],
  ])("says so where it is asked with %s", async (_, options, code, message) => {
    const asked = createAlertmanager({ url: am.url, ...options() }).post([alert("refused")]);
    await expect(asked).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe("an Alertmanager behind a proxy that asks for a token", () => {
  it("takes alerts with it, and says so where it is another", async () => {
    const am = await TestAlertmanager.create();
    await am.start();
    const proxy = createServer((asked, answer) => {
      if (asked.headers.authorization !== "Bearer the token")
        return void answer.writeHead(403).end("no entry");
      const { method, headers } = asked;
      const passed = request(
        am.url + (asked.url ?? "").replace(/^\/alerts-here/, ""),
        { method, headers },
        (got) => {
          answer.writeHead(got.statusCode ?? 500);
          got.pipe(answer);
        },
      );
      asked.pipe(passed);
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/alerts-here/`;
    try {
      await createAlertmanager({ url, bearerToken: "the token" }).post([alert("by token")]);
      await expect.poll(() => am.told(), { timeout: 30_000 }).toEqual(["firing by token"]);
      await expect(
        createAlertmanager({ url, bearerToken: "another" }).post([alert("x")]),
      ).rejects.toMatchObject({
        code: "LG_ALERTMANAGER_REFUSED",
        message: `Alertmanager at ${url} answers 403: no entry.`,
      });
    } finally {
      proxy.close();
      await am.end();
    }
  });
});
