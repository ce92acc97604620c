// `npm run test:image`: builds the image and runs it, without a container engine.

import { ensureServices } from "./services.mjs";
import { commandExists, ensureCommands, fail, run, setUp } from "./setup.mjs";

ensureCommands({
  buildah: "buildah",
  mmdebstrap: "mmdebstrap",
  unshare: "util-linux",
  setpriv: "util-linux",
});
if (process.getuid?.() !== 0 || !commandExists("apt-get"))
  fail(
    "The image is built in file systems that are mounted for it.",
    "Run this as root on Debian, not in a container.",
  );
setUp();
ensureServices();
run("node", ["test/image/main.ts"]);
