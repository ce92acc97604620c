import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { root } from "../support/data.ts";

const folder = mkdtempSync(join(tmpdir(), "logguardian-cli-"));
const session = ["--layout", "hdfs", "--session", "blk_-?\\d+", "--gap", "10s"];

function run(args: string[], input: string | Buffer = "", env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "bin/logguardian.js"), ...args],
    {
      input,
      env: { ...process.env, ...env },
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    },
  );
  return { status, stdout, stderr };
}

const simulated = run(["simulate", "hdfs", "--lines", "3000", "--labels", join(folder, "labels.csv")]).stdout;
const log = join(folder, "hdfs.log");
writeFileSync(log, simulated);

describe("simulate", () => {
  it("writes the same lines for the same seed, others for another", () => {
    expect(simulated.split("\n").length).toBeGreaterThan(3000);
    expect(run(["simulate", "hdfs", "--lines", "3000"]).stdout).toBe(simulated);
    expect(run(["simulate", "hdfs", "--lines", "3000", "--seed", "2"]).stdout).not.toBe(simulated);
  });
});

describe("mask", () => {
  it("answers line by line; a blank line stays a line", () => {
    expect(run(["mask", "--profile", "logllm"], "took 5 ms\n\nlast true").stdout).toBe(
      "took <*> ms\n\nlast <*>\n",
    );
  });
});

describe("detect", () => {
  it("finds the simulated faults, says so by its exit code, and gives the lines with their weights", () => {
    const { status, stdout } = run(["detect", log, ...session]);
    expect(status).toBe(3);
    const labels = readFileSync(join(folder, "labels.csv"), "utf8").trim().split("\n").slice(1);
    const faulty = labels.filter((row) => row.endsWith("Anomaly")).map((row) => row.split(",")[0]);
    const found = stdout
      .trim()
      .split("\n")
      .map((row) => JSON.parse(row));
    expect(found.map(({ key }) => key).sort()).toEqual(faulty.sort());
    for (const { lines, verdict } of found) {
      expect(verdict).toBe("anomalous");
      expect(lines.every((line: { weight: number }) => typeof line.weight === "number")).toBe(true);
    }
  });

  it("gives the same verdicts from a file, a packed file and standard input", () => {
    const scores = (output: string) =>
      output
        .trim()
        .split("\n")
        .map((row) => JSON.parse(row))
        .map(({ key, score }) => `${key} ${score}`)
        .sort();
    writeFileSync(`${log}.gz`, gzipSync(simulated));
    const plain = scores(run(["detect", log, ...session, "--all"]).stdout);
    expect(plain.length).toBeGreaterThan(100);
    expect(scores(run(["detect", `${log}.gz`, ...session, "--all"]).stdout)).toEqual(plain);
    expect(scores(run(["detect", "-", ...session, "--all"], simulated).stdout)).toEqual(plain);
  });

  it("says where the logs are none that the bundle knows, also where it finds nothing; and not of those it knows", () => {
    const words = ["pool", "cart", "checkout", "payment", "session", "coupon", "stock", "invoice"];
    const shop = words.flatMap((one) =>
      words.map((other) => `c.s.${one}.Service - ${other} of customer 17 was ${one}ed in ${other} mode`),
    );
    const unknown = run(["detect", "-", "--window", "8/8"], `${shop.join("\n")}\n`);
    expect(unknown.stderr).toMatch(
      /Note: \d+ of \d+ distinct lines are unlike all that starter .* normal ones too\. .*docs\/models\.md/,
    );
    expect(run(["detect", log, ...session]).stderr).not.toContain("Note:");
  });

  it("takes a pipeline's files as they are: wrapped as its records, or as their program wrote them", () => {
    const config = join(folder, "wrapped.yaml");
    const app = { topics: ["raw"], format: "filebeat", layout: "hdfs", key: { pattern: "blk_-?\\d+" } };
    const window = { kind: "session", gap: "24h" };
    writeFileSync(config, JSON.stringify({ pipelines: { app: { ...app, window } } }));
    const wrapped = join(folder, "wrapped.jsonl");
    const rows = simulated.trim().split("\n");
    writeFileSync(wrapped, rows.map((message) => `${JSON.stringify({ message })}\n`).join(""));
    const found = (file: string) =>
      run(["detect", file, "--pipeline", "app", "--config", config])
        .stdout.trim()
        .split("\n")
        .map((row) => JSON.parse(row).key);
    expect(found(wrapped).length).toBeGreaterThan(0);
    expect(found(wrapped)).toEqual(found(log));
  });

  it("takes lines without a time as going on from the line before: they end no session", () => {
    const verdicts = (output: string) =>
      output
        .trim()
        .split("\n")
        .map((row) => JSON.parse(row))
        .filter(({ key }) => key.startsWith("blk_"))
        .map(({ key, score, lines }) => `${key} ${score} ${lines.length}`)
        .sort();
    const traced = `Log of a node\n${simulated.replace(/(?:.*\n){20}/g, "$&\tat java.lang.Thread.run(Thread.java:619)\n")}`;
    const path = join(folder, "traced.log");
    writeFileSync(path, traced);
    const plain = verdicts(run(["detect", log, ...session, "--all"]).stdout);
    const fromFile = run(["detect", path, ...session, "--all"]);
    expect(verdicts(fromFile.stdout)).toEqual(plain);
    expect(fromFile.stderr).toMatch(/, 1[0-9]{2} lines without a time of their own/);
    expect(verdicts(run(["detect", "-", ...session, "--all"], traced).stdout)).toEqual(plain);
  });

  it("says when nothing could be read, and when the layout fits no line", () => {
    const unread = run(["detect", log, "--format", "filebeat"]);
    expect(unread.status).toBe(1);
    expect(unread.stderr).toContain("No line could be read");
    expect(run(["detect", log, "--layout", "nginx"]).stderr).toContain("the layout nginx");
  });

  it("survives invalid UTF-8, control characters and a line of 10 MB", () => {
    const hostile = Buffer.concat([
      Buffer.from([0xff, 0xfe, 0x00, 0x1b, 0x5b, 0x32, 0x4a, 0x0a]),
      Buffer.alloc(10 * 2 ** 20, "1"),
      Buffer.from("\nlast"),
    ]);
    const { status, stdout } = run(["detect", "-", "--window", "3", "--all"], hostile);
    expect([0, 3]).toContain(status);
    const [window] = stdout
      .trim()
      .split("\n")
      .map((row) => JSON.parse(row));
    expect(window.lines.length).toBe(3);
    expect(window.lines[1].text.length).toBeLessThan(10_000);
  });
});

describe("doctor", () => {
  it("names each service that does not answer, and ends", () => {
    const { status, stdout } = run(["doctor", "--config", join(root, "docs/logguardian.example.yaml")]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^ok {4}model: /m);
    expect(stdout).toMatch(/^FAIL {2}Kafka: .*does not answer/m);
    expect(stdout).toMatch(/^FAIL {2}Redis: .*does not answer/m);
  });

  it("says what needs uv where it is missing, and passes all the same", () => {
    const { status, stdout } = run(["doctor"], "", { LOGGUARDIAN_UV: "/nonexistent/uv" });
    expect(stdout).toMatch(/^-- {4}uv: .*needed for training/m);
    expect(status).toBe(0);
  });

  it("leaves nothing in the user's home, and no colours in a pipe, even where CI is set", () => {
    const home = mkdtempSync(join(tmpdir(), "logguardian-home-"));
    const { FORCE_COLOR: _, ...env } = process.env;
    const { stdout } = spawnSync(process.execPath, [join(root, "bin/logguardian.js"), "doctor"], {
      env: { ...env, HOME: home, CI: "true" },
      encoding: "utf8",
    });
    expect(stdout).toMatch(/^ok {4}Node: /);
    expect(readdirSync(home)).toEqual([]);
  });
});

describe("detect, while it waits", () => {
  it("ends at SIGTERM though standard input is silent, and judges what it has", async () => {
    const child = spawn(process.execPath, [
      join(root, "bin/logguardian.js"),
      "detect",
      "-",
      "--window",
      "2",
      "--all",
    ]);
    child.stdin.write("one\ntwo\nthree\n");
    let said = "";
    child.stdout.on("data", (text) => {
      said += text;
    });
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    const [status] = await once(child, "close");
    expect([0, 3]).toContain(status);
    expect(said.trim().split("\n").length).toBe(2);
  });

  it("ends all sources when one cannot be read", async () => {
    const [good, bad] = [join(folder, "good.log"), join(folder, "directory.log")];
    writeFileSync(good, "one\n");
    mkdirSync(bad);
    const { status, stdout, stderr } = run(["detect", good, bad, "--follow", "--window", "1", "--all"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/directory\.log cannot be read: EISDIR.*\(LG_FILE_UNREADABLE\)\n$/);
    expect(stdout).not.toContain("undecided");
  });
});

const packed = (name: string, content: Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
mkdirSync(join(folder, "directory.gz"));

describe("bad input", () => {
  it.each([
    [["detect", "--nonsense"], 2],
    [["detect", "/nowhere.log"], 1],
    [["detect", log, "--model", "/nowhere"], 1],
    [["detect", log, "--window", "5/10"], 2],
    [["detect", log, "--session", "(", "--gap", "1s"], 2],
    [["detect", log, "--session", "x", "--gap", "0s"], 2],
    [["evaluate", "--data", log, "--format", "bgl", "--labels", log], 2],
    [["evaluate", "--data", log, "--format", "jsonl", "--window", "10"], 2],
    [["evaluate", "--data", log, "--format", "bgl", "--test-share", "0.5"], 2],
    [["evaluate", "--data", log, "--format", "bgl", "--folds", "1"], 2],
    [["detect", log, "--session", "x", "--end", "["], 2],
    [["detect", log, "--session", "x", "--gap", "soon"], 2],
    [["detect", log, "--gap", "5s"], 2],
    [["detect", log, "--end", "bye"], 2],
    [["detect", log, "--window", "10m/5"], 2],
    [["detect", log, "--window", "10m/1s"], 2],
    [["detect", log, "--window", "few"], 2],
    [["simulate", "vms"], 2],
    [["start", "nobody"], 2],
    [["start", "--config", "/nowhere.yaml"], 1],
    [["flush", "--pipeline", "toString", "--config", join(root, "docs/logguardian.example.yaml")], 2],
    [["detect", join(folder, "directory.gz")], 1],
    [["detect", packed("damaged.gz", Buffer.from("no gzip at all"))], 1],
    [["detect", packed("cut.gz", gzipSync(simulated).subarray(0, 5_000))], 1],
    [["detect", packed("cut.xz", Buffer.from("fd377a585a000004e6d6b446", "hex"))], 1],
    [["detect", packed("whole.gz", gzipSync("a")), "--follow"], 2],
    [["detect", log, log], 2],
    [["evaluate", "--data", log, "--format", "jsonl", "--report", "/proc/report"], 1],
    [["evaluate", "--data", log, "--format", "jsonl", "--labels", log], 2],
    [["evaluate", "--data", log, "--format", "jsonl", "--window", "10"], 2],
    [["evaluate", "--data", log, "--format", "bgl", "--test-share", "0.5"], 2],
    [["evaluate", "--data", log, "--format", "bgl", "--folds", "1"], 2],
  ])("%j ends with %d and a sentence, no stack", (args, status) => {
    const result = run(args);
    expect(result.status).toBe(status);
    expect(result.stderr.length).toBeGreaterThan(20);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });
});

describe("demo", () => {
  it("finds the faults and raises no false alarm", () => {
    const { status, stdout } = run(["demo", "--seconds", "4", "--rate", "400"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/[1-9]\d* faults found, 0 missed, 0 false alarms/);
  });
});
