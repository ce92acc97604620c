import type { TestProject } from "vitest/node";
import { ensureServices, type Services, startServices } from "../../scripts/services.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    services: Pick<Services, "certificate" | "kafka" | "redis" | "alertmanager">;
  }
}

/** Starts Apache Kafka, Redis and Alertmanager once for all tests that name them, and stops what it started. */
export default async function start(project: TestProject): Promise<() => Promise<void>> {
  ensureServices();
  const { stop, ...services } = await startServices();
  project.provide("services", JSON.parse(JSON.stringify(services)));
  return stop;
}
