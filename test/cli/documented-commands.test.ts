import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { root } from "../support/data.ts";

// docs/api.md and docs/quickstart.md are run whole by tests of their own; of the others each command is one that there is.

const pages = ["README.md", "CONTRIBUTING.md", "training/README.md", ...globSync("docs/*.md", { cwd: root })];
const scripts = Object.keys(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts);

interface Documented {
  command: string;
  /** In prose a command may stand without what it needs: `logguardian replay --alert`. */
  isProse: boolean;
}

/** The commands of a page's blocks and of its inline code, each without its remark and where it writes to, pipes apart. */
function commandsOf(page: string): Documented[] {
  const text = readFileSync(join(root, page), "utf8");
  const blocks = [...text.matchAll(/^ *```(?:sh|console)?\n(.*?)^ *```$/gms)].map(([, block = ""]) => block);
  const prose = text.replaceAll(/^ *```.*?^ *```$/gms, "");
  const inline = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
  const piecesIn = (lines: string[]) => lines.flatMap((line) => piecesOf(line.replace(/\s(#|>\s).*$/, "")));
  return [
    ...piecesIn(blocks.join("\n").replaceAll("\\\n", " ").split("\n")).map((command) => ({
      command,
      isProse: false,
    })),
    ...piecesIn(inline).map((command) => ({ command, isProse: true })),
  ];
}

/** What stands between pipes and semicolons that are not quoted. */
function piecesOf(line: string): string[] {
  return (line.match(/(?:'[^']*'|"[^"]*"|[^|;&'"])+/g) ?? []).map((piece) => piece.trim());
}

function wordsOf(command: string): string[] {
  return (command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) => word.replaceAll(/['"]/g, ""));
}

/** Without placeholders such as `<command>` and `…`. */
const isWhole = (words: readonly string[]) => !words.some((word) => /[<…[]/.test(word));

function withoutActions(command: Command): Command {
  for (const inner of command.commands) withoutActions(inner);
  if (command.commands.length === 0 || command.registeredArguments.length > 0) command.action(() => {});
  return command
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({ writeErr: () => {}, writeOut: () => {} });
}

describe.each(pages)("%s", (page) => {
  const commands = commandsOf(page);

  it("names commands of logguardian with options that they have", async () => {
    const wrong: string[] = [];
    for (const { command, isProse } of commands) {
      const words = wordsOf(command);
      const start = words.findIndex((word) => !/^([A-Z_]+=|npx$)/.test(word));
      const [name, ...rest] = words.slice(start);
      if (name !== "logguardian" || rest.length === 0 || !isWhole(rest)) continue;
      try {
        await withoutActions(createProgram()).parseAsync(rest, { from: "user" });
      } catch (thrown) {
        const { code, message } = thrown as { code?: string; message: string };
        const isBare = isProse && /^commander\.(missing|help)/.test(code ?? "");
        if (!isBare && code !== "commander.helpDisplayed") wrong.push(`${command}: ${message}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("names scripts of package.json", () => {
    const named = commands.flatMap(({ command }) => /^npm run ([\w:-]+)/.exec(command)?.[1] ?? []);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});
