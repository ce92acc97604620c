// An API without any configuration, on a free port, for scripts that ask it something.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment, fail, root } from "./setup.mjs";

/** @returns where it listens, and how to end it. */
export async function startEmbeddedApi(env = {}) {
  // Where no configuration lies.
  const folder = mkdtempSync(join(tmpdir(), "logguardian-api-"));
  const args = [join(root, "bin/logguardian.js"), "start", "api", "--port", "0"];
  const child = spawn("node", args, {
    cwd: folder,
    env: { ...environment, ...env },
    stdio: ["ignore", "inherit", "pipe"],
  });
  let log = "";
  const url = await new Promise((resolve) => {
    child.once("exit", () => fail("The API does not start.", log));
    child.stderr.on("data", (text) => {
      log += text;
      const [, port] = /"port":(\d+),"msg":"LogGuardian runs\."/.exec(log) ?? [];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    });
  });
  return {
    url,
    /** What it has logged of requests that it could not answer. */
    failures: () => log.split("\n").filter((line) => line.includes("A request could not be answered.")),
    async stop() {
      child.removeAllListeners("exit");
      child.kill("SIGTERM");
      await once(child, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
