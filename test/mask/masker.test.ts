import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createMasker } from "../../src/mask/masker.ts";
import { dataFile } from "../support/data.ts";

const logllm = createMasker({ profile: "logllm" });
const typed = createMasker({ profile: "typed" });

/** What the paper's own function answers (logged once by running it). */
const vectors: [string, string][] = [
  ["CE sym 2, at 0x0b85eee0, mask 0x05", "CE sym <*>, at <*>, mask <*>"],
  ["141 double-hummer alignment exceptions", "<*> double-hummer alignment exceptions"],
  [
    "CioStream socket to 172.16.96.116:59695, Link has been severed",
    "CioStream socket to <*>, Link has been severed",
  ],
  [
    "Receiving block blk_-1608999687919862906 src: /10.250.19.102:54106 dest: /10.250.19.102:50010",
    "Receiving block <*> src: <*> dest: <*>",
  ],
  [
    "BLOCK* NameSystem.allocateBlock: /user/root/.../part-00999. blk_-5632101276183739500",
    "BLOCK* NameSystem.allocateBlock: <*> <*> <*>",
  ],
  [
    "crond(pam_unix)[2915]: session closed for user root",
    "crond(pam_unix)[<*>]: session closed for user root",
  ],
  ["replacing the card..............", "replacing the card.. "],
  ["true positive False trueness", "<*> positive <*> <*>ness"],
  ["one hundred and twenty", "<*> <*> and <*>"],
  ["Mon Jun 12 10:00:00", "<*> <*><*>"],
  ["user@host-abc logged in root@node1", "<*> logged in <*>"],
  ["deadbeef cafebabe01 feedface12", "<*> <*> <*>"],
  [
    "e1000: eth0: e1000_watchdog: NIC Link is Up 1000 Mbps Full Duplex",
    "<*> <*> <*> NIC Link is Up <*> Mbps Full Duplex",
  ],
  [
    "<3>scsi0: Adaptec AIC7899 Ultra160 SCSI adapter [dn228] /dev/sda1 mounted",
    "<<*>><*> Adaptec <*> <*> SCSI adapter [<*>] <*> mounted",
  ],
];

describe("the logllm profile", () => {
  it.each(vectors)("masks %j as the paper's function does", (line, masked) => {
    expect(logllm.mask(line)).toBe(masked);
  });

  it("masks 2,058 real lines as the paper's function does, and its own output to itself", () => {
    const rows = gunzipSync(readFileSync(dataFile("masks/logllm_golden.jsonl.gz")))
      .toString()
      .trim()
      .split("\n")
      .map((row) => JSON.parse(row) as { line: string; masked: string });
    expect(rows.length).toBe(2058);
    for (const { line, masked } of rows) {
      expect(logllm.mask(line)).toBe(masked);
      expect(logllm.mask(masked)).toBe(masked);
      expect(typed.mask(typed.mask(line))).toBe(typed.mask(line));
    }
  });

  it("leaves a masked line alone where a mask has made a new word boundary", () => {
    expect(logllm.mask(logllm.mask("oneTrue deadbeeftrue"))).toBe(logllm.mask("oneTrue deadbeeftrue"));
  });
});

describe("the typed profile", () => {
  it("names what it replaces, the most specific first", () => {
    expect(
      typed.mask("2026-11-22T08:57:51.643Z GET https://a.b/c?d=1 from 10.0.0.7:443 in 35.2 ms id 0xdeadbeef"),
    ).toBe("<TIMESTAMP> GET <URL> from <IP> in <NUM> ms id <HEX>");
    expect(typed.mask("open /var/log/app.log 3f2504e0-4f89-41d3-9a0c-0305e82c3301 read/write")).toBe(
      "open <PATH> <UUID> read/write",
    );
  });
});

describe("options", () => {
  it("replaces custom patterns before the profile's", () => {
    const masker = createMasker({
      profile: "logllm",
      custom: [{ name: "table", regex: "table '[^']*'", token: "table '<*>'" }],
    });
    expect(masker.mask("drop table 'users' in 3 s")).toBe("drop table '<*>' in <*> s");
  });

  it("says which custom pattern is not valid", () => {
    expect(() =>
      createMasker({ profile: "typed", custom: [{ name: "back", regex: "(a)\\1", token: "x" }] }),
    ).toThrow(/"back" is not a valid RE2/);
  });

  it("folds case, removes punctuation, collapses whitespace", () => {
    const options = { lowerCase: true, removePunctuation: true, collapseWhitespace: true };
    const masker = createMasker({ profile: "logllm", ...options });
    expect(masker.mask("Error:   [disk] 5 FULL!")).toBe("error disk <*> full");
    expect(masker.mask(masker.mask("Error:   [disk] 5 FULL!"))).toBe("error disk <*> full");
  });

  it("changes nothing on a masked line, whatever the options", () => {
    const lines = [
      ...["TRUE ONE", "x_five.SIX", "Oneness DEADBEEF <IP> <*>", "a  Jun 12  b....", "\u0130 5", ""],
      ...["1 ".repeat(1024), `${"x".repeat(2045)} oneness`, "alice@node-1 (user 7) logged IN"],
    ];
    const custom = [
      { name: "user", regex: "user \\d+", token: "<USER1>" },
      { name: "at", regex: "(\\w+)@", token: "$1 at " },
    ];
    for (const profile of ["logllm", "typed"] as const)
      for (const bits of Array.from({ length: 16 }, (_, number) => number)) {
        const masker = createMasker({
          profile,
          lowerCase: (bits & 1) > 0,
          removePunctuation: (bits & 2) > 0,
          collapseWhitespace: (bits & 4) > 0,
          custom: bits & 8 ? custom : [],
        });
        for (const line of lines) expect(masker.mask(masker.mask(line))).toBe(masker.mask(line));
        if (bits & 8) expect(masker.mask("by user 7")).toBe("by <USER1>");
      }
  });

  it("refuses a token that would be masked for ever", () => {
    expect(() =>
      createMasker({ profile: "typed", custom: [{ name: "grow", regex: "a", token: "aa" }] }),
    ).toThrow(/"grow" is changed by masking again and again/);
  });

  it("has another hash for other options", () => {
    const hashes = [logllm.hash, typed.hash, createMasker({ profile: "logllm", lowerCase: true }).hash];
    expect(new Set(hashes).size).toBe(3);
  });
});

describe("hostile lines", () => {
  const hostile = [
    "a",
    "1",
    "/",
    "\\",
    ".",
    "@",
    "a@",
    "a.",
    "a/",
    "1:",
    "aa:",
    "-",
    "é",
    "0x",
    " ",
    "one",
    "true",
    "\u{1F4A5}",
  ];
  it.each(hostile)("costs a bounded number of steps on a megabyte of %j", (unit) => {
    const line = unit.repeat(2 ** 20 / unit.length);
    for (const masker of [logllm, typed]) {
      const started = process.cpuUsage();
      masker.mask(line);
      // The promise is 20 ms; ten times that still tells quadratic at 2,048 from quadratic at a megabyte.
      expect(process.cpuUsage(started).user / 1000).toBeLessThan(200);
    }
  });
});
