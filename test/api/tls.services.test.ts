import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { startEmbeddedApi } from "../support/api.ts";
import { services } from "../support/services.ts";

it("answers over TLS where there is a certificate, and nobody else", async () => {
  const { certificate } = services;
  const tls = { certificate, key: join(dirname(certificate), "key.pem") };
  const file = join(mkdtempSync(join(tmpdir(), "logguardian-tls-")), "api.yaml");
  writeFileSync(file, stringify({ api: { tls } }));
  const api = await startEmbeddedApi({}, ["--config", file]);
  const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const ca = readFileSync(certificate);
    request({ host: "127.0.0.1", port: api.port, path: "/health", ca }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, ...response.headers });
    })
      .once("error", reject)
      .end();
  });
  expect(headers).toMatchObject({
    status: 200,
    "strict-transport-security": expect.stringContaining("max-age"),
  });
  await expect(api.ask("/health")).rejects.toThrow();
  expect(await api.stop()).toBe(0);
});
