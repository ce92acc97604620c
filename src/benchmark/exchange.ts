import { createWriteStream, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { BenchmarkData } from "./benchmark-data.ts";

/** The folder through which windows reach methods that are commands; each data set is written once. */
export interface Exchange {
  /** Rows {"label", "lines", "count"}. */
  train(data: BenchmarkData): Promise<string>;
  /** Rows {"lines"}: labels stay here. */
  test(data: BenchmarkData): Promise<string>;
  windows(windows: readonly { masked: readonly string[] }[]): Promise<string>;
  /** A path that nothing has been written to. */
  next(name: string): Promise<string>;
  close(): void;
}

export function createExchange(): Exchange {
  const written = new WeakMap<BenchmarkData, { train?: Promise<string>; test?: Promise<string> }>();
  let folder: Promise<string> | undefined;
  let path: string | undefined;
  let files = 0;
  const remove = () => {
    if (path !== undefined) rmSync(path, { recursive: true, force: true });
  };
  // Where the process is ended from outside, nobody closes.
  process.once("exit", remove);

  function filesOf(data: BenchmarkData) {
    const known = written.get(data) ?? {};
    written.set(data, known);
    return known;
  }

  async function next(name: string): Promise<string> {
    folder ??= mkdtemp(join(tmpdir(), "logguardian-benchmark-"));
    path = await folder;
    return join(path, `${++files}-${name}.jsonl`);
  }

  async function write<T>(name: string, items: readonly T[], rowOf: (item: T) => object): Promise<string> {
    const path = await next(name);
    const rows = Iterator.from(items).map((item) => `${JSON.stringify(rowOf(item))}\n`);
    await pipeline(Readable.from(rows), createWriteStream(path));
    return path;
  }

  const windows: Exchange["windows"] = (some) => write("test", some, ({ masked }) => ({ lines: masked }));

  return {
    next,
    windows,
    train(data) {
      const known = filesOf(data);
      known.train ??= write("train", data.train, ({ label, masked, count }) => ({
        label,
        lines: masked,
        count,
      }));
      return known.train;
    },
    test(data) {
      const known = filesOf(data);
      known.test ??= windows(data.distinct);
      return known.test;
    },
    close() {
      process.off("exit", remove);
      remove();
    },
  };
}
