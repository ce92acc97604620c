import type { Measure } from "./figure.ts";

interface Named {
  about: string;
  /** Whether it reads the labelled logs' dev parts. */
  readsSplits: boolean;
  /** Of verdicts, not of what they cost. */
  isOptional?: boolean;
  /** Imported only where it runs: libraries and their threads are no part of another measure. */
  load(): Promise<Measure>;
}

/** Every measure by its name, in the order in which they run. */
export const measures: Record<string, Named> = {
  positions: {
    about: "positions through the scorer, against plain prefill by the same library",
    readsSplits: false,
    load: async () => (await import("./positions.ts")).measurePositions,
  },
  "windows-hdfs": {
    about: "windows of HDFS' sessions, uncached, against LogLLM's loop in PyTorch",
    readsSplits: true,
    load: async () => (await import("./windows.ts")).measureWindowsOf("hdfs", { reference: 300, ours: 1000 }),
  },
  "windows-bgl": {
    about: "the same on BGL's windows of 100 lines",
    readsSplits: true,
    load: async () => (await import("./windows.ts")).measureWindowsOf("bgl", { reference: 32, ours: 640 }),
  },
  "file-hdfs": {
    about: "a raw HDFS log to verdicts, caches on, against the same loop; F1 of both",
    readsSplits: false,
    load: async () => (await import("./file.ts")).measureFile,
  },
  embedding: {
    about: "lines through the embedder, against bare ONNX Runtime",
    readsSplits: false,
    load: async () => (await import("./embedding.ts")).measureEmbedding,
  },
  evidence: {
    about: "what the lines' weights cost, as multiples of one score",
    readsSplits: true,
    load: async () => (await import("./evidence.ts")).measureEvidence,
  },
  threads: {
    about: "threads of language model and encoder, by the clock",
    readsSplits: true,
    load: async () => (await import("./threads.ts")).measureThreads,
  },
  "event-loop": {
    about: "delay of the event loop while windows are judged",
    readsSplits: true,
    load: async () => (await import("./event-loop.ts")).measureEventLoop,
  },
  memory: {
    about: "resident memory after many batches, against after few",
    readsSplits: false,
    load: async () => (await import("./memory.ts")).measureMemory,
  },
  linear: {
    about: "CPU-seconds of growing parts of a raw log, caches on and off, and by stage",
    readsSplits: false,
    load: async () => (await import("./linear.ts")).measureLinear,
  },
  planted: {
    about: "whether evidence names lines that are known to be the cause",
    readsSplits: false,
    isOptional: true,
    load: async () => (await import("./planted.ts")).measurePlantedLines,
  },
  early: {
    about: "what verdicts on open HDFS sessions give and cost",
    readsSplits: false,
    isOptional: true,
    load: async () => (await import("./early.ts")).measureEarlyVerdicts,
  },
};
