import type { BenchmarkSource } from "../benchmark/benchmark-data.ts";
import { LogGuardianError } from "../errors.ts";
import { type DataFormat, dataFormats } from "../evaluate/data/data-format.ts";
import type { SplitOptions } from "../evaluate/splits.ts";
import { parseWindow } from "./arguments.ts";

interface Draft {
  train?: string;
  test?: string;
  data?: string;
  format?: DataFormat;
  labels?: string;
  window?: string;
}

/**
 * Several data sets on one command line: `--train` or `--data` begins one, and what follows belongs to it. Each function
 * is an option's parser; commander calls them in the order of the command line.
 */
export function createDataSetOptions() {
  const drafts: Draft[] = [];

  function last(option: string, beginning: "train" | "data"): Draft {
    const draft = drafts.at(-1);
    if (draft?.[beginning] === undefined)
      throw usage(
        `${option} belongs to no data set.`,
        `Write it after the --${beginning} that it belongs to.`,
      );
    return draft;
  }

  return {
    train: (train: string) => void drafts.push({ train }),
    test(test: string) {
      last(`--test ${test}`, "train").test = test;
    },
    data: (data: string) => void drafts.push({ data }),
    format(name: string) {
      const format = dataFormats.find((known) => known === name);
      if (format === undefined)
        throw usage(`--format ${name} is not known.`, `Choose of ${dataFormats.join(", ")}.`);
      last(`--format ${name}`, "data").format = format;
    },
    labels(labels: string) {
      last(`--labels ${labels}`, "data").labels = labels;
    },
    window(window: string) {
      last(`--window ${window}`, "data").window = window;
    },
    /** @throws LogGuardianError LG_USAGE. */
    sources(split: SplitOptions): BenchmarkSource[] {
      if (drafts.length === 0)
        throw usage("There is no data set.", "Give --train and --test, or --data and --format.");
      return drafts.map((draft) => sourceOf(draft, split));
    },
  };
}

function sourceOf({ train, test, data, format, labels, window = "100" }: Draft, split: SplitOptions) {
  const size = parseWindow(window);
  if (data !== undefined) {
    if (format === undefined) throw usage(`--data ${data} has no --format.`, "Write it after the path.");
    const source = { path: data, format, window: size, ...(labels === undefined ? {} : { labels }) };
    return { kind: "split" as const, data: source, split };
  }
  if (train === undefined || test === undefined)
    throw usage(`--train ${train} has no --test.`, "Write the file to test after it.");
  const rows = (path: string) => ({ path, format: "jsonl" as const, window: size });
  return { kind: "files" as const, train: rows(train), test: rows(test) };
}

function usage(what: string, remedy: string): LogGuardianError {
  return new LogGuardianError("LG_USAGE", what, remedy);
}
