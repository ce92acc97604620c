import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRecords } from "../../src/ingest/file-source.ts";
import { until } from "../support/until.ts";

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, place) => `line ${from + place}\n`).join("");

/** Follows a file that holds the lines 0 to 99, lets something happen to it, and tells what was read in the end. */
async function follow(
  happens: (path: string, read: readonly string[]) => Promise<void>,
  last: number,
): Promise<string[]> {
  const path = join(mkdtempSync(join(tmpdir(), "logguardian-follow-")), "app.log");
  writeFileSync(path, lines(0, 100));
  const stop = new AbortController();
  const read: string[] = [];
  const positions = new Set<number>();
  const reading = (async () => {
    for await (const batch of readRecords(path, { follow: true, signal: stop.signal }))
      for (const { value, offset } of batch) {
        read.push(String(value));
        positions.add(offset);
      }
  })();
  await until(() => read.length === 100, "what was there is read");
  await happens(path, read);
  await until(() => read.includes(`line ${last - 1}`), "what was written last is read");
  stop.abort();
  await reading;
  expect(positions.size).toBe(read.length);
  return read;
}

const all = (count: number) => Array.from({ length: count }, (_, place) => `line ${place}`);

describe("following a file", () => {
  it("goes on in the new one after a rename, and loses nothing that was still written to the old", async () => {
    const read = await follow(async (path) => {
      renameSync(path, `${path}.1`);
      writeFileSync(path, lines(150, 200));
      // Whoever writes opens the new file a moment later.
      appendFileSync(`${path}.1`, lines(100, 150));
    }, 200);
    expect(read).toEqual(all(200));
  });

  it("goes on in a file that was deleted and made again, once it is there", async () => {
    const read = await follow(async (path, so) => {
      appendFileSync(path, lines(100, 150));
      rmSync(path);
      await until(() => so.length === 150, "what was written before is read");
      writeFileSync(path, lines(150, 200));
    }, 200);
    expect(read).toEqual(all(200));
  });

  it("begins again in a file that was emptied", async () => {
    const read = await follow(async (path, so) => {
      truncateSync(path);
      appendFileSync(path, lines(100, 120));
      await until(() => so.length === 120, "the first lines after it are read");
      appendFileSync(path, lines(120, 200));
    }, 200);
    expect(read).toEqual(all(200));
  });

  it("ends with a last line that has no line end yet", async () => {
    const read = await follow(async (path) => appendFileSync(path, `${lines(100, 101)}line 101`), 101);
    expect(read).toEqual(all(102));
  });
});
