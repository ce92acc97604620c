import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { addAbortSignal, pipeline, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { createGunzip } from "node:zlib";
import xz from "xz-decompress";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { maxLineBytes } from "./formats/text.ts";
import type { RawRecord } from "./line.ts";

const recordsPerBatch = 1000;
const pollMs = 250;
/** Kept of one line while it is read: enough for the format to see that it is too long. */
const keptBytes = maxLineBytes + 1024;

export interface FileSourceOptions {
  /** Keep reading what is appended, through truncation and rotation. */
  follow?: boolean;
  /** Keep lines of any length whole: for data files, whose rows are not log lines. */
  wholeLines?: boolean;
  /** Ends reading; what was read of the last line is a line. */
  signal?: AbortSignal;
}

/**
 * The lines of a file as records, in batches; `-` is standard input, `.gz` and `.xz` are unpacked.
 * A record's offset is the line's number from 0, its fileOffset the byte at which the line begins.
 * @throws LogGuardianError LG_FILE_UNREADABLE.
 */
export async function* readRecords(
  path: string,
  options: FileSourceOptions = {},
): AsyncGenerator<RawRecord[]> {
  const mostBytes = options.wholeLines ? Number.MAX_SAFE_INTEGER : keptBytes;
  const split = createSplitter(path, mostBytes, await createUndated(path, options.follow === true));
  try {
    if (options.follow && path !== "-") yield* followFile(path, split, options.signal);
    else
      for await (const chunk of streamOf(path, options.signal)) {
        yield* split.push(chunk);
        // Standard input may be silent for long: what is whole goes on.
        yield* split.rest();
      }
  } catch (thrown) {
    if (thrown instanceof LogGuardianError) throw thrown;
    if (!options.signal?.aborted) throw unreadable(path, thrown);
  }
  yield* split.end();
}

/** A finished file was written by its modification time; what is written now has the clock's, unless it is a live stream. */
async function createUndated(path: string, follow: boolean): Promise<() => { undated?: number }> {
  if (path === "-" && follow) return () => ({});
  if (path === "-" || follow) return () => ({ undated: Date.now() });
  const { mtimeMs } = await stat(path).catch((thrown) => {
    throw unreadable(path, thrown);
  });
  const undated = Math.floor(mtimeMs);
  return () => ({ undated });
}

/** Whether it is unpacked while it is read, so that nothing can be appended. */
export function isPacked(path: string): boolean {
  return path.endsWith(".gz") || path.endsWith(".xz");
}

function streamOf(path: string, signal: AbortSignal | undefined): AsyncIterable<Buffer> {
  const stream = path === "-" ? process.stdin : unpackedStreamOf(path);
  return signal === undefined ? stream : addAbortSignal(signal, stream);
}

function unpackedStreamOf(path: string): Readable {
  const file = createReadStream(path);
  // What goes wrong in a part is thrown to the reader of the whole.
  if (path.endsWith(".gz")) return pipeline(file, createGunzip(), () => undefined);
  if (path.endsWith(".xz")) {
    const unpacked = new xz.XzReadableStream(Readable.toWeb(file) as ReadableStream<Uint8Array>);
    return Readable.fromWeb(unpacked as Parameters<typeof Readable.fromWeb>[0]);
  }
  return file;
}

/** Reads what is appended; a file that shrank or was replaced is read from its beginning. */
async function* followFile(path: string, split: Splitter, signal?: AbortSignal): AsyncGenerator<RawRecord[]> {
  let file = await open(path);
  let position = 0;
  let isReplaced = false;
  const pause = () => sleep(pollMs, undefined, { signal }).catch(() => undefined);
  const buffer = Buffer.alloc(256 * 1024);
  try {
    while (!signal?.aborted) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead > 0) {
        position += bytesRead;
        isReplaced = false;
        yield* split.push(Buffer.from(buffer.subarray(0, bytesRead)));
        continue;
      }
      yield* split.rest();
      const [mine, now] = [await file.stat(), await stat(path).catch(() => undefined)];
      if (now !== undefined && now.ino !== mine.ino && !isReplaced) {
        // Whoever writes may go on in the old file for a moment: it is left when it has been quiet.
        isReplaced = true;
        await pause();
      } else if (now !== undefined && now.ino !== mine.ino) {
        yield* split.end();
        await file.close();
        file = await open(path);
        position = 0;
      } else if (mine.size < position) {
        yield* split.end();
        position = 0;
      } else {
        await pause();
      }
    }
  } finally {
    await file.close();
  }
}

interface Splitter {
  /** Batches that are full; the rest waits. */
  push(chunk: Buffer): Generator<RawRecord[]>;
  /** The whole lines that wait. */
  rest(): Generator<RawRecord[]>;
  /** All that waits, a last line without its line end too. */
  end(): Generator<RawRecord[]>;
}

/** Splits bytes at newlines: a character of several bytes is never cut, and a line of megabytes is never kept whole. */
function createSplitter(path: string, mostBytes: number, undated: () => { undated?: number }): Splitter {
  const origin = path === "-" ? { host: hostname() } : { host: hostname(), file: path };
  let records: RawRecord[] = [];
  let line: Buffer[] = [];
  let lineKept = 0;
  let lineBytes = 0;
  let lineStart = 0;
  let number = 0;

  function add(part: Buffer): void {
    lineBytes += part.length;
    const room = mostBytes - lineKept;
    if (room <= 0 || part.length === 0) return;
    const kept = part.length > room ? part.subarray(0, room) : part;
    line.push(kept);
    lineKept += kept.length;
  }

  function finish(newline: number): void {
    const value = line.length === 1 ? line[0] : Buffer.concat(line);
    records.push({
      topic: path === "-" ? "stdin" : path,
      partition: 0,
      offset: number++,
      key: null,
      value: value ?? null,
      headers: {},
      timestamp: Date.now(),
      ...undated(),
      origin,
      fileOffset: lineStart,
    });
    lineStart += lineBytes + newline;
    line = [];
    lineKept = 0;
    lineBytes = 0;
  }

  function* take(): Generator<RawRecord[]> {
    if (records.length > 0) yield records;
    records = [];
  }

  return {
    *push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        add(chunk.subarray(from, at));
        finish(1);
        from = at + 1;
        if (records.length >= recordsPerBatch) yield* take();
      }
      add(chunk.subarray(from));
    },
    rest: take,
    *end() {
      if (lineBytes > 0) finish(0);
      yield* take();
    },
  };
}

function unreadable(path: string, thrown: unknown): LogGuardianError {
  return new LogGuardianError(
    "LG_FILE_UNREADABLE",
    `${path} cannot be read: ${reasonOf(thrown)}.`,
    isPacked(path)
      ? "By its name it is packed: check that it is whole, or rename it if it is plain text."
      : "Check the path and its permissions; - reads standard input.",
    thrown,
  );
}
