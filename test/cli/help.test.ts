import type { Command } from "commander";
import { expect, it } from "vitest";
import { createProgram } from "../../src/cli/program.ts";

function leavesOf(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

function helpOf(command: Command): string {
  let help = "";
  const writeOut = (text: string) => {
    help += text;
  };
  command.configureOutput({ writeOut }).outputHelp();
  return help;
}

it.each(leavesOf(createProgram()).map((command) => [nameOf(command), command] as const))(
  "%s --help shows an example of it",
  (name, command) => {
    expect(helpOf(command)).toMatch(new RegExp(`Examples?:\n(.*\n)*?  (.*[|] |[A-Z_]+=\\S+ )?${name}`));
  },
);
