import { shortened } from "../cut-to-fit.ts";

/** Makes control characters visible: a log line must not move the cursor of whoever reads it, or break their alert. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 32 ? String.fromCodePoint(0x2400 + code) : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** The beginning of a text, visible on one line; a mark says that more follows. */
export function visibleStart(text: string, characters: number): string {
  const short = text.length > characters ? `${shortened(text, characters)} …` : text;
  return visible(short.toWellFormed());
}
