import type { HTTPMethods } from "fastify";
import type { ApiServer } from "./api-server.ts";
import { refusal } from "./problem.ts";

/** By path, what it may be asked by. Of the routes that are added from now on. */
export function collectMethods(server: ApiServer): Map<string, Set<string>> {
  const methods = new Map<string, Set<string>>();
  server.addHook("onRoute", ({ url, method }) => {
    const known = methods.get(url) ?? new Set();
    methods.set(url, known);
    for (const one of [method].flat()) known.add(one);
  });
  return methods;
}

/** What is there, but not by this method, is answered by 405 and what it may be asked by. After all other routes. */
export function refuseOtherMethods(
  server: ApiServer,
  methods: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  // A preflight is answered for all paths at once.
  const hasPreflight = methods.get("*")?.has("OPTIONS") === true;
  for (const [url, known] of [...methods]) {
    if (url === "*") continue;
    const allowed = new Set([...known, ...(hasPreflight ? ["OPTIONS"] : [])]);
    server.route({
      url,
      method: server.supportedMethods.filter((method) => !allowed.has(method)) as HTTPMethods[],
      schema: { hide: true },
      // Before a body is read.
      onRequest: async ({ method }) => {
        throw refusal(
          "LG_API_METHOD",
          `${method} is not what ${url} is asked by.`,
          "See GET /openapi.json.",
          {
            headers: { allow: [...allowed].join(", ") },
          },
        );
      },
      handler: async () => undefined,
    });
  }
}
