import { runWorker } from "../src/pipeline/run-worker.ts";

await runWorker("api");
