import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { inspectCommand } from "../../src/cli/commands/model/inspect.ts";

let said: string[];
const { isTTY } = process.stdout;
beforeEach(() => {
  said = [];
  vi.spyOn(console, "log").mockImplementation((line) => void said.push(line));
  process.stdout.isTTY = true;
});
afterEach(() => {
  vi.restoreAllMocks();
  process.stdout.isTTY = isTTY;
});

const namesOf = (rows: string[]) => new Set(rows.map((row) => row.split(" ")[0]));

it("shows a person what matters most, and how many rows more there are", async () => {
  await inspectCommand();
  const short = said.splice(0);
  expect(short.length).toBeLessThan(20);
  expect([...namesOf(short)]).toEqual(expect.arrayContaining(["bundle", "windows", "threshold"]));
  await inspectCommand(undefined, { all: true });
  expect(said.slice(0, short.length - 1)).toEqual(short.slice(0, -1));
  expect([...namesOf(said)]).toEqual(expect.arrayContaining(["file", "from", "measured"]));
  expect(short.at(-1)).toMatch(new RegExp(`^more +${said.length - short.length + 1} rows .*--all$`));
});

it("gives programs all of the manifest", async () => {
  await inspectCommand(undefined, { json: true });
  expect(Object.keys(JSON.parse(said.join("")))).toEqual(
    expect.arrayContaining(["id", "files", "provenance", "metrics"]),
  );
});
