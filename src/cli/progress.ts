export interface ProgressLine {
  show(what: string, done?: number, all?: number): void;
  /** A sentence that stays, on a terminal or not. */
  say(sentence: string): void;
  end(): void;
}

const redrawMs = 100;

/** One line on a terminal that says what is under way. */
export function createProgress(): ProgressLine {
  const { stderr } = process;
  let shown = 0;
  const end = () => {
    if (stderr.isTTY) stderr.write("\r\x1b[2K");
  };
  return {
    show(what, done, all) {
      if (!stderr.isTTY || (Date.now() - shown < redrawMs && done !== all)) return;
      shown = Date.now();
      const count = done === undefined ? "" : all === undefined ? `${done} ` : `${done} of ${all} `;
      // A line that wraps could not be drawn over.
      stderr.write(`\r\x1b[2K${`${count}${what}`.slice(0, stderr.columns - 1)}`);
    },
    say(sentence) {
      end();
      stderr.write(`${sentence}\n`);
    },
    end,
  };
}
