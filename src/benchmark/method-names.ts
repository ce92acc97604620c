/** Methods of training/logguardian_baselines, by id. */
export const pythonMethods = {
  "decision-tree": "decision tree on counts",
  "random-forest": "random forest on counts",
  "isolation-forest": "isolation forest on counts",
  "drain-cluster": "Drain3, unseen cluster",
  "drain-counts": "Drain3, unseen counts of clusters",
  deeplog: "LSTM in DeepLog's manner",
} as const;

export type PythonMethod = keyof typeof pythonMethods;

/** What `--methods` takes, in the order of the table. */
export const methodNames = [
  "bundle",
  "unseen-template",
  "unseen-counts",
  ...(Object.keys(pythonMethods) as PythonMethod[]),
  "logllm",
] as const;

export type MethodName = (typeof methodNames)[number];
