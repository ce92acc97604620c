const cutMark = " …[cut]";
/** What is left of every text, until even that is too much. */
const leastCharacters = 32;
/** Lines at either end of a window whose rests stay. */
const endLines = 20;
const originFields = ["host", "file", "pod", "container"] as const;

type OriginTexts = Partial<Record<(typeof originFields)[number], string | null>>;

/**
 * Encodes something with many lines in at most `maxBytes`: raw texts are cut, longest first, then origins, then masked
 * texts, and marked as cut. Where that is not enough, nothing but the mark is left of the texts in the middle.
 * Always fits 2,000 lines, whatever is in them and in their topics' names.
 * @param lines changed in place, as `encode` sees them. @param origins of the lines, in their order.
 */
export function encodeToFit(
  lines: readonly { text: string; masked: string }[],
  origins: readonly OriginTexts[],
  encode: () => Buffer,
  maxBytes: number,
): Buffer {
  let bytes = encode();
  function cut<Field extends string>(
    rows: readonly Partial<Record<Field, string | null>>[],
    field: Field,
    least: number,
  ): void {
    // Half the longest length at a time: few rounds, and short texts stay whole.
    let longest = rows.reduce((most, row) => Math.max(most, row[field]?.length ?? 0), 0);
    while (bytes.length > maxBytes && longest > least) {
      longest >>= 1;
      for (const row of rows) {
        const text = row[field];
        if (text && text.length > longest) row[field] = shortened(text, longest) + cutMark;
      }
      bytes = encode();
    }
  }
  cut(lines, "text", leastCharacters);
  for (const field of originFields) cut(origins, field, leastCharacters);
  cut(lines, "masked", leastCharacters);
  if (bytes.length <= maxBytes) return bytes;
  for (const origin of origins.slice(endLines, -endLines))
    for (const field of originFields) delete origin[field];
  cut(lines.slice(endLines, -endLines), "text", 0);
  cut(lines.slice(endLines, -endLines), "masked", 0);
  return bytes;
}

/** The beginning of a text, no character halved. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}
