const cutMark = " …[cut]";
/** Shorter lines than this are never cut: their number is bounded elsewhere. */
const leastCharacters = 32;

/**
 * Encodes something with many lines in at most `maxBytes`: raw texts are cut, longest first, then masked ones, and
 * marked as cut. @param lines changed in place, as `encode` sees them.
 */
export function encodeToFit(
  lines: readonly { text: string; masked: string }[],
  encode: () => Buffer,
  maxBytes: number,
): Buffer {
  let bytes = encode();
  for (const field of ["text", "masked"] as const) {
    // Half the longest length at a time: few rounds, and short lines stay whole.
    let longest = lines.reduce((most, line) => Math.max(most, line[field].length), 0);
    while (bytes.length > maxBytes && longest > leastCharacters) {
      longest >>= 1;
      for (const line of lines)
        if (line[field].length > longest) line[field] = line[field].slice(0, longest) + cutMark;
      bytes = encode();
    }
  }
  return bytes;
}
