import { join } from "node:path";
import files from "@fastify/static";
import type { ApiServer } from "../api-server.ts";

/** The files of `page/`, each as a route of its own: nothing else of the disk can be asked for. */
export async function pageRoutes(server: ApiServer): Promise<void> {
  await server.register(files, {
    root: join(import.meta.dirname, "../page"),
    wildcard: false,
    decorateReply: false,
    cacheControl: false,
    setHeaders: (reply) => void reply.header("cache-control", "no-cache"),
  });
}
