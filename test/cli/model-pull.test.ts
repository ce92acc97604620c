import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { changeManifest, starterCopy, temporaryFolder } from "../support/bundles.ts";
import { runCli, startCli } from "../support/cli.ts";
import { starterBundle } from "../support/data.ts";
import { type FileServer, startFileServer } from "../support/file-server.ts";

let server: FileServer;
let out: string;
const content = randomBytes(300_000);
const sha256 = hashOf(content);

beforeAll(async () => {
  server = await startFileServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.files.clear();
  server.requests.length = 0;
  out = temporaryFolder();
});

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
const pull = (from: string, hash: string, args: string[] = [], env: Record<string, string> = {}) =>
  runCli(["model", "pull", from, "--sha256", hash, "--out", out, ...args], "", env);
const ranges = () => server.requests.map(({ range }) => range);

describe("model pull of a file", () => {
  it("fetches, follows redirects, shows progress, and fetches nothing twice", async () => {
    server.files.set("/latest", { redirect: "/base.gguf" }).set("/base.gguf", { content });
    const { status, stdout, stderr } = await pull(`${server.url}/latest`, sha256, ["--as", "llama.gguf"]);
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining("0.3 of 0.3 MB") });
    expect(stdout).toContain(join(out, "llama.gguf"));
    expect(readFileSync(join(out, "llama.gguf"))).toEqual(content);
    expect(readdirSync(out)).toEqual(["llama.gguf"]);
    const again = await pull(`${server.url}/latest`, sha256, ["--as", "llama.gguf"]);
    expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining("already") });
    expect(server.requests.length).toBe(2);
  });

  /** Pulls until 200,000 bytes have arrived and the server sends no more. */
  const pullHalf = async () => {
    server.files.set("/base.gguf", { content, stallAfter: 200_000 });
    const half = startCli(["model", "pull", `${server.url}/base.gguf`, "--sha256", sha256, "--out", out]);
    await until(() => readdirSync(out).some((name) => statSync(join(out, name)).size === 200_000));
    server.files.set("/base.gguf", { content });
    return half;
  };

  it("goes on where the connection broke", async () => {
    const half = await pullHalf();
    server.breakConnections();
    expect(await half.finished).toMatchObject({ status: 0 });
    expect(ranges()).toEqual([undefined, "bytes=200000-"]);
    expect(readFileSync(join(out, "base.gguf"))).toEqual(content);
  });

  it("goes on where an earlier process was killed", async () => {
    const half = await pullHalf();
    half.process.kill("SIGKILL");
    await half.finished;
    expect(existsSync(join(out, "base.gguf"))).toBe(false);
    expect(await pull(`${server.url}/base.gguf`, sha256)).toMatchObject({ status: 0 });
    expect(ranges()).toEqual([undefined, "bytes=200000-"]);
    expect(readFileSync(join(out, "base.gguf"))).toEqual(content);
  });

  it("begins anew where the server knows no ranges, or what was left behind is damaged or complete", async () => {
    const left = join(out, `base.gguf.${sha256.slice(0, 12)}.partial`);
    const beginnings = [content.subarray(0, 1000), randomBytes(1000), content, randomBytes(400_000)];
    for (const beginning of beginnings) {
      for (const wholeOnly of [true, false]) {
        server.files.set("/base.gguf", { content, wholeOnly });
        out = temporaryFolder();
        writeFileSync(left.replace(/.*\//, `${out}/`), beginning);
        expect(await pull(`${server.url}/base.gguf`, sha256)).toMatchObject({ status: 0 });
        expect(readFileSync(join(out, "base.gguf"))).toEqual(content);
        expect(readdirSync(out)).toEqual(["base.gguf"]);
      }
    }
  });

  it("finds a name on the Hub, and sends no token in the clear", async () => {
    server.files.set("/owner/small/resolve/v1%2F2/sub/model.gguf", { content });
    const env = { HF_ENDPOINT: `${server.url}/`, HF_TOKEN: "secret" };
    expect(await pull("owner/small/sub/model.gguf@v1/2", sha256, [], env)).toMatchObject({ status: 0 });
    expect(readFileSync(join(out, "model.gguf"))).toEqual(content);
    expect(server.requests[0]?.authorization).toBeUndefined();
  });

  it.each([
    ["nothing there", "/absent.gguf", {}, "LG_PULL_NOT_FOUND"],
    ["no permission", "/gated.gguf", { status: 403 }, "LG_PULL_DENIED"],
    ["another content", "/base.gguf", { content: Buffer.from("other") }, "LG_PULL_CHECKSUM"],
    ["no room", "/huge.gguf", { content, claimedLength: 2 ** 60 }, "LG_PULL_SPACE"],
    ["a server that is broken for good", "/base.gguf", { status: 503 }, "LG_PULL_UNREACHABLE"],
    ["a strange answer", "/base.gguf", { status: 418 }, "LG_PULL_REFUSED"],
  ])("%s: one sentence, exit 1, nothing under its name", async (_, path, file, code) => {
    if (code !== "LG_PULL_NOT_FOUND") server.files.set(path, file);
    const { status, stderr } = await pull(server.url + path, sha256);
    expect(status).toBe(1);
    expect(stderr).toContain(code);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(readdirSync(out)).toEqual([]);
  });

  it("refuses to replace what is there, a checksum that is none, and a name that leads elsewhere", async () => {
    writeFileSync(join(out, "base.gguf"), "mine");
    server.files.set("/base.gguf", { content });
    expect((await pull(`${server.url}/base.gguf`, sha256)).stderr).toContain("LG_PULL_EXISTS");
    expect(readFileSync(join(out, "base.gguf"), "utf8")).toBe("mine");
    expect((await pull(`${server.url}/base.gguf`, "abc")).stderr).toContain("LG_USAGE");
    expect((await pull(`${server.url}/base.gguf`, sha256, ["--as", "../x"])).stderr).toContain("LG_USAGE");
    expect((await pull("ftp://x/y", sha256)).stderr).toContain("LG_USAGE");
    expect(server.requests).toEqual([]);
  });

  it.each([
    ["http://example.org/base.gguf", {}],
    ["http://127.0.0.1.example.org/base.gguf", {}],
    ["http://localhost.example.org/base.gguf", {}],
    ["owner/small/model.gguf@main", { HF_ENDPOINT: "http://example.org" }],
  ])("takes nothing in the clear: %s %j", async (from, env) => {
    const { status, stderr } = await pull(from, sha256, [], env);
    expect(status).toBe(2);
    expect(stderr).toMatch(/is neither an https URL/);
  });

  it("follows no redirect into the clear, nor one that leads round and round", async () => {
    server.files.set("/away", { redirect: "http://example.org/base.gguf" });
    server.files.set("/round", { redirect: "/round" }).set("/base.gguf", { content });
    for (const path of ["/away", "/round"])
      expect((await pull(server.url + path, sha256)).stderr).toContain("LG_PULL_REDIRECT");
    server.requests.length = 0;
    const { start, env } = secureServers();
    const secure = await start({ location: `${server.url}/base.gguf` });
    const { status, stderr } = await pull(`${secure.url}/base.gguf`, sha256, [], env);
    secure.close();
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("LG_PULL_REDIRECT"),
    });
    expect(server.requests).toEqual([]);
  });

  it("tells the Hub's token to the Hub alone", async () => {
    const { start, env } = secureServers();
    const elsewhere = await start({});
    const hub = await start({ location: `${elsewhere.url}/model.gguf` });
    const whose = { HF_ENDPOINT: hub.url, HF_TOKEN: "secret" };
    const { stderr } = await pull("owner/small/model.gguf@main", sha256, [], { ...env, ...whose });
    hub.close();
    elsewhere.close();
    expect(stderr).toContain("LG_PULL_NOT_FOUND");
    expect([hub.authorizations, elsewhere.authorizations]).toEqual([["Bearer secret"], [undefined]]);
  });
});

/** https servers on free ports, and the environment that trusts them. Each sends everyone to `location`, or has nothing. */
function secureServers() {
  const folder = temporaryFolder();
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = spawnSync("openssl", ["req", "-x509", ...curve, ...name, "-keyout", key, "-out", certificate]);
  expect(made.status).toBe(0);
  const own = { key: readFileSync(key), cert: readFileSync(certificate) };
  const start = async (headers: { location?: string }) => {
    const authorizations: (string | undefined)[] = [];
    const secure = createServer(own, (request, response) => {
      authorizations.push(request.headers.authorization);
      response.writeHead(headers.location === undefined ? 404 : 302, headers).end();
    });
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    const { port } = secure.address() as AddressInfo;
    return { url: `https://127.0.0.1:${port}`, authorizations, close: () => secure.close() };
  };
  return { start, env: { NODE_EXTRA_CA_CERTS: certificate } };
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await sleep(50);
}

describe("model pull of a bundle", () => {
  const pack = (dir: string, name: string, args: string[]) => {
    const path = join(temporaryFolder(), name);
    expect(spawnSync("tar", ["-cf", path, ...args], { cwd: dir }).status).toBe(0);
    return readFileSync(path);
  };

  it.each([
    ["its files at the top, packed", "starter-1.tar.gz", ["-z", "."]],
    ["its files in a folder", "starter-1.tar", ["-C", "..", "starter"]],
  ])("an archive with %s", async (_, name, args) => {
    const archive = pack(starterCopy(), name, args);
    server.files.set(`/${name}`, { content: archive });
    const { status, stderr } = await pull(`${server.url}/${name}`, hashOf(archive));
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(readdirSync(out)).toEqual(["starter-1"]);
    expect(readdirSync(join(out, "starter-1")).sort()).toEqual(readdirSync(starterBundle).sort());
    const verified = await runCli(["model", "inspect", join(out, "starter-1")]);
    expect(verified.status).toBe(0);
  });

  it("a manifest, whose sha256 vouches for every file beside it", async () => {
    for (const file of readdirSync(starterBundle))
      server.files.set(`/o/log/resolve/main/${file}`, { content: readFileSync(join(starterBundle, file)) });
    const manifest = hashOf(readFileSync(join(starterBundle, "manifest.json")));
    const env = { HF_ENDPOINT: server.url };
    expect(await pull("o/log@main", manifest, [], env)).toMatchObject({ status: 0 });
    expect(readdirSync(join(out, "log")).sort()).toEqual(readdirSync(starterBundle).sort());
    expect((await pull("o/log@main", manifest, [], env)).stdout).toContain("already");

    out = temporaryFolder();
    server.files.set("/o/log/resolve/main/golden.jsonl", { content: Buffer.from("other") });
    const { status, stderr } = await pull("o/log@main", manifest, [], env);
    expect(status).toBe(1);
    expect(stderr).toContain("LG_PULL_CHECKSUM");
    expect(existsSync(join(out, "log"))).toBe(false);
  });

  it.each(["manifest.json", "golden.jsonl"])("whose %s has no end is given up", async (endless) => {
    for (const file of readdirSync(starterBundle))
      server.files.set(`/log/${file}`, { content: readFileSync(join(starterBundle, file)) });
    server.files.set(`/log/${endless}`, { content, endless: true });
    const manifest = hashOf(readFileSync(join(starterBundle, "manifest.json")));
    const { status, stderr } = await pull(`${server.url}/log/manifest.json`, manifest);
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining("LG_PULL_SIZE") });
    const left = readdirSync(out, { recursive: true }).map(String);
    expect(left.filter((path) => path.includes(`${endless}.`))).toEqual([]);
  });

  it("with a file that is longer than its manifest says: none of it is fetched", async () => {
    for (const file of readdirSync(starterBundle))
      server.files.set(`/log/${file}`, { content: readFileSync(join(starterBundle, file)) });
    server.files.set("/log/golden.jsonl", { content: Buffer.alloc(2 ** 20) });
    const manifest = hashOf(readFileSync(join(starterBundle, "manifest.json")));
    const { stderr } = await pull(`${server.url}/log/manifest.json`, manifest);
    expect(stderr).toContain("LG_PULL_SIZE");
    expect(stderr).not.toContain("golden.jsonl: 0.");
  });

  it("that is damaged, or no bundle, appears nowhere", async () => {
    const damaged = starterCopy();
    writeFileSync(join(damaged, "llama.gguf"), "x");
    const link = starterCopy();
    spawnSync("ln", ["-sf", "/etc/passwd", join(link, "golden.jsonl")]);
    for (const [archive, code] of [
      [pack(damaged, "a.tar.gz", ["-z", "."]), "LG_BUNDLE_CHECKSUM"],
      [pack(link, "a.tar.gz", ["-z", "."]), "LG_BUNDLE_ARCHIVE"],
      [pack(temporaryFolder(), "a.tar.gz", ["-z", "."]), "LG_BUNDLE_ARCHIVE"],
      [content, "LG_BUNDLE_ARCHIVE"],
    ] as const) {
      server.files.set("/a.tar.gz", { content: archive });
      const { status, stderr } = await pull(`${server.url}/a.tar.gz`, hashOf(archive));
      expect(status).toBe(1);
      expect(stderr).toContain(code);
      expect(readdirSync(out)).toEqual([]);
    }
  });

  it("whose base is elsewhere: the error names the command, and the command makes it whole", async () => {
    const bundle = starterCopy();
    const base = readFileSync(join(bundle, "llama.gguf"));
    changeManifest(bundle, ({ llama, files }) => {
      llama.base = { name: "tiny", sha256: hashOf(base), url: `${server.url}/models/tiny.gguf` };
      delete files["llama.gguf"];
    });
    expect(spawnSync("rm", [join(bundle, "llama.gguf")]).status).toBe(0);
    const archive = pack(bundle, "needy.tar.gz", ["-z", "."]);
    server.files.set("/needy.tar.gz", { content: archive }).set("/models/tiny.gguf", { content: base });

    const pulled = await pull(`${server.url}/needy.tar.gz`, hashOf(archive));
    expect(pulled).toMatchObject({ status: 0, stdout: expect.stringContaining("logguardian model pull") });
    const needy = join(out, "needy");
    const refused = await runCli(["model", "verify", needy]);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("LG_BASE_MISSING") });
    const [, from = "", hash = "", dir = "", file = ""] =
      /model pull '(\S+)' --sha256 (\w+) --out '(\S+)' --as (\S+)/.exec(refused.stderr) ?? [];
    expect(await runCli(["model", "pull", from, "--sha256", hash, "--out", dir, "--as", file])).toMatchObject(
      {
        status: 0,
      },
    );
    expect(await runCli(["model", "verify", needy])).toMatchObject({ status: 0 });
    writeFileSync(join(needy, "llama.gguf"), "another");
    expect((await runCli(["model", "verify", needy])).stderr).toContain("LG_BUNDLE_CHECKSUM");
  });
});
