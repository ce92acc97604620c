import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { DataFormat } from "../../src/evaluate/data/data-format.ts";
import { openDataSet, openTrainingData } from "../../src/evaluate/data/data-set.ts";
import type { LabelledWindow } from "../../src/evaluate/data/labelled-window.ts";
import { createMasker } from "../../src/mask/masker.ts";
import { dataFile } from "../support/data.ts";
import { loghubSample } from "../support/loghub.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-data-sets-"));
const view = { masker: createMasker({ profile: "logllm" }), template: "{content}" };

async function read(
  path: string,
  format: DataFormat,
  options: { labels?: string; size?: number; stride?: number } = {},
) {
  const { labels, size = 100, stride = size } = options;
  const source = { path, format, window: { size, stride }, ...(labels === undefined ? {} : { labels }) };
  const { windows, notes } = openDataSet(source, view);
  const found: LabelledWindow[] = [];
  for await (const window of windows) found.push(window);
  return { windows: found, notes };
}

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Labels of windows of `size` lines by the first field alone, read without the product's code. */
function expectedLabels(log: Buffer, size: number): number[] {
  const lines = log
    .toString("latin1")
    .split("\n")
    .filter((line) => line.trim() !== "");
  return Array.from({ length: Math.ceil(lines.length / size) }, (_, place) =>
    Number(lines.slice(place * size, (place + 1) * size).some((line) => !line.startsWith("- "))),
  );
}

describe("logs with the label in the first field", () => {
  it("BGL: windows in the file's order, alerts as labels, headers left behind", async () => {
    const path = dataFile("bgl/BGL_2k.log");
    for (const size of [100, 7]) {
      const { windows, notes } = await read(path, "bgl", { size });
      expect(windows.map(({ label }) => label)).toEqual(expectedLabels(readFileSync(path), size));
      expect(windows.flatMap(({ masked }) => masked)).toHaveLength(2000);
      expect(notes).toEqual({ lines: 2000, linesWithoutLayout: 0, linesWithoutWindow: 0, labelsUnused: 0 });
    }
    const { windows } = await read(path, "bgl");
    expect(windows[0]?.masked[0]).toBe("instruction cache parity error corrected");
    const starts = windows.map(({ start }) => start ?? 0);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(windows[1]).not.toHaveProperty("firstLine");
    const overlapping = await read(path, "bgl", { size: 100, stride: 50 });
    expect(overlapping.windows).toHaveLength(39);
    expect(overlapping.windows.map(({ firstLine }) => firstLine).slice(0, 3)).toEqual([0, 50, 100]);
    expect(overlapping.windows[1]?.masked).toEqual([
      ...(windows[0]?.masked.slice(50) ?? []),
      ...(windows[1]?.masked.slice(0, 50) ?? []),
    ]);
  });

  it.each(["thunderbird", "liberty", "spirit"] as const)("%s: Thunderbird's header", async (format) => {
    const log = await loghubSample("Thunderbird_2k.log");
    const { windows, notes } = await read(write("thunderbird.log.gz", gzipSync(log)), format, { size: 30 });
    expect(windows.map(({ label }) => label)).toEqual(expectedLabels(log, 30));
    expect(notes).toMatchObject({ lines: 2000, linesWithoutLayout: 0 });
    expect(windows[0]?.masked[0]).toMatch(/^crond\(pam_unix\)/);
  });

  it("keeps latin-1, and counts lines without a header that fits; their first word is no alert's tag", async () => {
    const header = "1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228";
    const log = [
      `- ${header} kernel: f\xfcr`,
      "left over from a broken line",
      `ECC ${header} kernel: error`,
      "",
    ];
    const path = write("odd.log", Buffer.from(log.join("\n"), "latin1"));
    const { windows, notes } = await read(path, "thunderbird", { size: 1 });
    expect(windows.map(({ label }) => label)).toEqual([0, 0, 1]);
    expect(windows.map(({ alerts }) => alerts?.length)).toEqual([0, 0, 1]);
    expect(windows[0]?.masked[0]).toBe("kernel: für");
    expect(notes.linesWithoutLayout).toBe(1);
  });

  it("refuses a log of another system", async () => {
    await expect(read(dataFile("bgl/BGL_2k.log"), "thunderbird")).rejects.toThrow(/0 of 2000 lines/);
  });
});

describe("HDFS", () => {
  const line = (block: string, second: number) =>
    `081109 2035${second} 143 INFO dfs.DataNode$DataXceiver: Receiving block ${block} src: /10.0.0.1:5 dest: /10.0.0.2:5`;
  const log = [
    line("blk_1", 10),
    line("blk_-2", 20),
    line("blk_1", 30),
    "081109 203540 1 INFO dfs.X: no id",
    "",
  ];
  const path = write("hdfs.log", log.join("\n"));

  it("labels sessions by block, and says what belongs to none", async () => {
    const labels = write("labels.csv", "BlockId,Label\nblk_1,Normal\nblk_-2,Anomaly\nblk_9,Normal\n");
    const { windows, notes } = await read(path, "hdfs", { labels });
    expect(windows.map(({ label, masked }) => [label, masked.length])).toEqual([
      [0, 2],
      [1, 1],
    ]);
    expect((windows[0]?.end ?? 0) - (windows[0]?.start ?? 0)).toBe(20_000);
    expect(notes).toEqual({ lines: 4, linesWithoutLayout: 0, linesWithoutWindow: 1, labelsUnused: 1 });
  });

  it("refuses a label file that does not match", async () => {
    const other = write("other.csv", "BlockId,Label\nblk_1,Normal\n");
    await expect(read(path, "hdfs", { labels: other })).rejects.toThrow(
      /no label for 1 of 2 blocks, such as blk_-2/,
    );
    const broken = write("broken.csv", "BlockId,Label\nblk_1,Fine\n");
    await expect(read(path, "hdfs", { labels: broken })).rejects.toThrow(/line 2/);
  });

  it("reads LogHub's sessions whole", async () => {
    const labels = dataFile("hdfs/raw_2pct_anomaly_label.csv.xz");
    const { windows, notes } = await read(dataFile("hdfs/raw_2pct.log.xz"), "hdfs", { labels });
    expect(windows).toHaveLength(11_501);
    expect(windows.filter(({ label }) => label === 1)).toHaveLength(350);
    expect(notes).toMatchObject({ lines: 222_579, linesWithoutLayout: 0, linesWithoutWindow: 0 });
  });
});

describe("Hadoop", () => {
  const root = join(folder, "hadoop");
  const jobs = ["application_1_0001", "application_1_0002"];
  const line = (second: number) =>
    `2015-10-18 18:01:${second},978 INFO [IPC Server handler 0 on 62270] org.apache.hadoop.ipc.Server: done ${second}`;
  for (const job of jobs) {
    mkdirSync(join(root, job), { recursive: true });
    writeFileSync(
      join(root, job, "container_1.log"),
      `${line(10)}\n\tat java.lang.Thread.run(Thread.java:745)\n`,
    );
    writeFileSync(join(root, job, "container_2.log"), `${[20, 21, 22].map(line).join("\n")}\n`);
  }

  it("labels jobs by the heading they stand under; each job is a group", async () => {
    writeFileSync(
      join(root, "abnormal_label.txt"),
      `### WordCount\n\nNormal:\n+ ${jobs[0]}\n\nMachine down:\n+ ${jobs[1]}\n+ application_1_0003\n`,
    );
    const { windows, notes } = await read(root, "hadoop", { size: 2 });
    expect(windows.map(({ group, label, masked }) => [group, label, masked.length])).toEqual(
      jobs.flatMap((job, place) => [
        [job, place, 2],
        [job, place, 2],
        [job, place, 1],
      ]),
    );
    expect(windows[0]?.masked[0]).toBe("done <*>");
    expect(notes).toEqual({ lines: 10, linesWithoutLayout: 2, linesWithoutWindow: 0, labelsUnused: 1 });
  });

  it("refuses a list that lacks a job, and one that is none", async () => {
    const short = write("short.txt", `Normal:\n+ ${jobs[0]}\n`);
    await expect(read(root, "hadoop", { labels: short })).rejects.toThrow(
      /does not name 1 of 2 jobs, such as application_1_0002/,
    );
    const none = write("none.txt", "BlockId,Label\n");
    await expect(read(root, "hadoop", { labels: none })).rejects.toThrow(/names no application/);
  });

  it("fits LogHub's sample", async () => {
    const sample = join(folder, "sample");
    mkdirSync(join(sample, "application_1445144423722_0020"), { recursive: true });
    writeFileSync(join(sample, "application_1445144423722_0020/a.log"), await loghubSample("Hadoop_2k.log"));
    const labels = write("sample.txt", "Normal:\n+ application_1445144423722_0020\n");
    expect((await read(sample, "hadoop", { labels })).notes).toMatchObject({
      lines: 2000,
      linesWithoutLayout: 0,
    });
  });
});

describe("JSON lines", () => {
  it("may stand for many windows", async () => {
    const path = write(
      "rows.jsonl",
      '{"label":1,"lines":["took 5 ms"],"count":3}\n\n{"label":0,"lines":["a","b"]}\n',
    );
    const { windows, notes } = await read(path, "jsonl");
    expect(windows).toEqual([
      { label: 1, count: 3, masked: ["took <*> ms"] },
      { label: 0, count: 1, masked: ["a", "b"] },
    ]);
    expect(notes.lines).toBe(5);
  });

  it.each([
    ["{", /line 2 is not JSON/],
    ['{"lines":["a"]}', /line 2 has no "label"/],
    ['{"label":2,"lines":["a"]}', /line 2 has a "label" that is neither 0 nor 1/],
    ['{"label":0,"lines":[]}', /line 2 has no "lines"/],
    ['{"label":0,"lines":["a"],"count":0}', /line 2 has a "count"/],
    ["null", /line 2 has no "lines"/],
  ])("names the row %s", async (row, message) => {
    const path = write("bad.jsonl", `{"label":0,"lines":["a"]}\n${row}\n`);
    await expect(read(path, "jsonl")).rejects.toThrow(message);
  });
});

describe("training data", () => {
  it("is read in the data's format without labels, or as JSON lines by its name", async () => {
    const source = { format: "hdfs", window: { size: 1, stride: 1 } } as const;
    const count = async (path: string) => {
      let windows = 0;
      for await (const _ of openTrainingData({ ...source, path }, view).windows) windows++;
      return windows;
    };
    expect(await count(join(folder, "hdfs.log"))).toBe(2);
    expect(await count(write("train.jsonl", '{"label":0,"lines":["a"]}\n'))).toBe(1);
  });
});
