import type { Dashboard } from "@grafana/schema";
import { api } from "./boards/api.ts";
import { overview } from "./boards/overview.ts";
import { pipeline } from "./boards/pipeline.ts";
import { resources } from "./boards/resources.ts";
import { verdicts } from "./boards/verdicts.ts";

/** By the name of the file. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  logguardian: overview,
  "logguardian-pipeline": pipeline,
  "logguardian-verdicts": verdicts,
  "logguardian-api": api,
  "logguardian-resources": resources,
};
