import { dashboardOf, variable } from "../dashboard.ts";
import { timeSeries } from "../panels.ts";

const of = 'job="logguardian", service=~"$service"';
const each = "{{service}} {{instance}}";

/** What each process takes of its machine. */
export const resources = dashboardOf(
  {
    uid: "logguardian-resources",
    title: "LogGuardian resources",
    description: "What each process takes of its machine.",
  },
  [variable("service", "logguardian_build_info")],
  [
    {
      title: "Processor",
      panels: [
        timeSeries(
          {
            title: "CPU",
            description:
              "Cores in use. Ingesters and windowers use about one; a detector as many as its model is given.",
            unit: "short",
          },
          [[`rate(process_cpu_seconds_total{${of}}[$__rate_interval])`, each]],
        ),
        timeSeries(
          {
            title: "Event loop lag",
            description: "p99. Seconds: heartbeats to Kafka are late, and the group gives partitions away.",
            unit: "s",
          },
          [[`nodejs_eventloop_lag_p99_seconds{${of}}`, each]],
        ),
        timeSeries({ title: "Garbage collection", description: "Share of time.", unit: "percentunit" }, [
          [
            `sum by (service, instance) (rate(nodejs_gc_duration_seconds_sum{${of}}[$__rate_interval]))`,
            each,
          ],
        ]),
      ],
    },
    {
      title: "Memory",
      panels: [
        timeSeries(
          {
            title: "Resident memory",
            description: "Of the process: heap, buffers, and the model's native memory.",
            unit: "bytes",
          },
          [[`process_resident_memory_bytes{${of}}`, each]],
        ),
        timeSeries(
          {
            title: "Heap",
            description: "JavaScript's objects: open windows, what is in flight.",
            unit: "bytes",
          },
          [[`nodejs_heap_size_used_bytes{${of}}`, each]],
        ),
        timeSeries(
          {
            title: "Buffers",
            description: "Outside the heap: what was read from Kafka, vectors.",
            unit: "bytes",
          },
          [[`nodejs_external_memory_bytes{${of}}`, each]],
        ),
      ],
    },
    {
      title: "Processes",
      panels: [
        timeSeries({ title: "Age", description: "Since the start. Saw teeth are restarts.", unit: "s" }, [
          [`time() - process_start_time_seconds{${of}}`, each],
        ]),
        timeSeries({ title: "Open files", description: "Connections and files.", unit: "short" }, [
          [`process_open_fds{${of}}`, each],
        ]),
        timeSeries(
          { title: "Versions", description: "Processes of each version.", unit: "short" },
          [[`count by (version, node) (logguardian_build_info{${of}})`, "{{version}} on Node {{node}}"]],
          { stacked: true },
        ),
      ],
    },
  ],
);
