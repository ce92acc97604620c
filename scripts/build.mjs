// Compiles src/ and workers/ to dist/ for the package: Node refuses to strip types under node_modules. What is not TypeScript
// goes there as it is.
import { execFileSync } from "node:child_process";
import { cpSync, globSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
rmSync(dist, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "--project", join(root, "tsconfig.build.json")],
  { cwd: root, stdio: "inherit" },
);
for (const file of globSync(["src/**/*.lua", "src/api/page/**/*.*"], { cwd: root }))
  cpSync(join(root, file), join(dist, file));
