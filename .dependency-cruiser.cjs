/**
 * Who may know whom. The rooms stand in the order of the data's way; a file may import from its own room and
 * from the rooms before it. The systems are each known to one room only.
 */
const rooms = [
  "telemetry",
  "mask",
  "ingest",
  "window",
  "model",
  "embed",
  "classify",
  "verdict",
  "alert",
  "config",
  "codec",
  "api",
  "redis",
  "kafka",
  "pipeline",
  "simulate",
  "evaluate",
  "benchmark",
  "cli",
];

/** The library's public face (src/index.ts) may see what the command line may see, but not the command line. */
const climbs = rooms.slice(0, -1).map((room, place) => ({
  name: `no-climbing-from-${room}`,
  comment: "Imports follow the data's way; see ARCHITECTURE.md, Rooms.",
  severity: "error",
  from: { path: `^src/${room}/` },
  to: { path: `^(src/(${rooms.slice(place + 1).join("|")})/|src/index|workers/)` },
}));

const owners = {
  kafkajs: "kafka",
  ioredis: "redis",
  "onnxruntime-node": "embed",
  "node-llama-cpp": "classify",
  // Ours, and what producers of raw topics write.
  avsc: "(codec|ingest)",
  fastify: "api",
  pino: "telemetry",
  "prom-client": "telemetry",
};

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    ...climbs,
    {
      name: "nothing-imports-the-entry-points",
      severity: "error",
      from: { path: "^src/(?!cli/)" },
      to: { path: "^(src/cli|workers)/" },
    },
    ...Object.entries(owners).map(([library, room]) => ({
      name: `${library}-only-in-${room}`,
      severity: "error",
      from: { path: "^(src|workers)/", pathNot: `^src/${room}/` },
      to: { path: `node_modules/${library}/` },
    })),
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
