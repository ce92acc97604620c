// `npm run openapi`: writes docs/openapi.json anew: the document of an API without any configuration.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEmbeddedApi } from "./embedded-api.mjs";
import { root, run } from "./setup.mjs";

const api = await startEmbeddedApi();
const document = await (await fetch(`${api.url}/openapi.json`)).json();
await api.stop();
const file = join(root, "docs/openapi.json");
writeFileSync(file, JSON.stringify(document, null, 2));
run("npx", ["--no", "biome", "format", "--write", file]);
