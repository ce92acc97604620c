import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/data.ts";

/** An image as it lies in a file system, and how it says that it is to be run. */
export interface Image {
  folder: string;
  config: {
    User: string;
    WorkingDir: string;
    Env: string[];
    Entrypoint: string[];
    Cmd: string[];
    Healthcheck: { Test: string[] };
  };
}

const npmVersion = "11.19.1";
/** Where the machine has its certificate authorities: what it reaches registries by, the build does too. */
const certificates = "/etc/ssl/certs/ca-certificates.crt";

/** Builds images by Buildah, in which no daemon runs, from a base that is made here: nothing is pulled. */
export function createBuilder(store: string) {
  const buildah = (...args: string[]) =>
    run("buildah", ["--root", join(store, "root"), "--runroot", join(store, "run"), ...args]);

  /** What stands for Docker's node image: Debian's packages, the repository's own Node, npm. */
  function makeBase(): string {
    const archive = join(store, "debian.tar");
    run("mmdebstrap", ["--quiet", "--variant=minbase", "bookworm", archive]);
    const container = buildah("from", "scratch");
    const folder = buildah("mount", container);
    run("tar", ["--extract", "--file", archive, "--directory", folder]);
    const local = join(folder, "usr/local");
    cpSync(join(root, "node_modules/node/bin/node"), join(local, "bin/node"), { dereference: true });
    run("npm", ["install", "--global", "--prefix", local, `npm@${npmVersion}`]);
    if (existsSync(certificates)) {
      mkdirSync(join(local, "etc"), { recursive: true });
      cpSync(certificates, join(local, "etc/certificates.pem"), { dereference: true });
      writeFileSync(join(local, "etc/npmrc"), "cafile=/usr/local/etc/certificates.pem\n");
    }
    buildah(
      "config",
      "--env",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      container,
    );
    buildah("commit", "--quiet", "--rm", container, "localhost/node");
    return "localhost/node";
  }

  return {
    makeBase,
    /** By deploy/Dockerfile, whose steps run as it says; the target that it builds where none is named. */
    build(base: string): Image {
      const tag = "localhost/logguardian";
      const options = ["--isolation", "chroot", "--pull-never", "--format", "docker", "--tag", tag];
      buildah("build", ...options, "--build-arg", `NODE_IMAGE=${base}`, "--file", "deploy/Dockerfile", ".");
      const config = JSON.parse(buildah("inspect", "--type", "image", tag)).Docker.config;
      return { folder: buildah("mount", buildah("from", "--pull-never", tag)), config };
    },
    close() {
      buildah("rm", "--all");
      buildah("rmi", "--all", "--force");
    },
  };
}

function run(command: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return stdout.trim();
  throw new Error(
    `${command} ${args.join(" ")} failed: ${error ?? `${stdout.slice(-3000)}${stderr.slice(-3000)}`}`,
  );
}
