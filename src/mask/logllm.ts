/**
 * LogLLM's masking (customDataset.py of the paper's code, described in its section IV-A): one list for all systems,
 * every match becomes `<*>`. The leftmost match wins, at equal position the order of this list.
 *
 * Python's `\w`, `\d` and `\b` are Unicode, so they are spelled out. `<*>` counts as a word character at word
 * boundaries: only so does masking a masked line change nothing.
 */
const digit = "\\p{Nd}";
const word = "[\\p{L}\\p{N}_]";
const bounded = (inner: string) => `(?<!${word}|<\\*>)(?:${inner})(?!${word}|<\\*>)`;

const numerals =
  "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|" +
  "eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion";
const weekdays = "Mon|Monday|Tue|Tuesday|Wed|Wednesday|Thu|Thursday|Fri|Friday|Sat|Saturday|Sun|Sunday";
const months =
  "Jan|January|Feb|February|Mar|March|Apr|April|May|Jun|June|Jul|July|Aug|August|Sep|September|" +
  "Oct|October|Nov|November|Dec|December";
const account = "[\\p{L}\\p{N}_.\\-]+";

export const logllmVariables = new RegExp(
  [
    "True|true|False|false", // also inside words: "trueness" becomes "<*>ness"
    bounded(numerals),
    bounded(weekdays),
    `(?<!${word}|<\\*>)(?:${months})\\s+${digit}{1,2}\\s+`, // swallows the space after the day
    `${digit}{1,3}(?:\\.${digit}{1,3}){3}(?::${digit}+)?`,
    "(?:[0-9A-Fa-f]{2}:){11}[0-9A-Fa-f]{2}",
    "(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}",
    "[a-zA-Z0-9]*[:.]*(?:[/\\\\]+[^/\\\\\\s\\[\\]]+)+[/\\\\]*", // path
    bounded("[0-9a-fA-F]{8}"),
    bounded("[0-9a-fA-F]{10}"),
    `${account}@${account}`,
    `[a-zA-Z.:\\-_]*${digit}[a-zA-Z\\p{Nd}.:\\-_]*`, // any word that holds a digit
  ].join("|"),
  "gu",
);

/** Runs of three dots and more; replaced by `.. ` before anything else. */
export const dotRuns = /\.{3,}/g;

/** A word that may be the beginning of a date, which reaches over spaces, or holds a space of another kind. */
export const spansSpaces = new RegExp(`(?:${months})$|\\s`, "u");
