/** Words that are remembered, and how long they may be: most words of logs are few and short. */
const mostWords = 20_000;
const longestWord = 64;

/**
 * The same replacing, for patterns none of which matches across a space but where `spansSpaces` finds its beginning at
 * the end of a word: such a line is replaced as a whole. Of the others every word is looked up, and only one that is
 * new is searched.
 */
export function wordByWord(replace: (text: string) => string, spansSpaces: RegExp): (text: string) => string {
  /** null where the word's line is to be replaced as a whole. */
  let known = new Map<string, string | null>();

  function replaced(word: string): string | null {
    const found = known.get(word);
    if (found !== undefined) return found;
    const result = spansSpaces.test(word) ? null : replace(word);
    if (word.length > longestWord) return result;
    if (known.size === mostWords) known = new Map();
    // A copy: a slice would keep its whole line in memory.
    const copy = Buffer.from(word).toString();
    known.set(copy, result === word ? copy : result);
    return result;
  }

  return (text) => {
    let result = "";
    /** From where on nothing was replaced. */
    let kept = 0;
    for (let from = 0; from <= text.length; ) {
      const space = text.indexOf(" ", from);
      const end = space === -1 ? text.length : space;
      const word = text.slice(from, end);
      const masked = replaced(word);
      if (masked === null) return replace(text);
      if (masked !== word) {
        result += text.slice(kept, from) + masked;
        kept = end;
      }
      from = end + 1;
    }
    return kept === 0 && result === "" ? text : result + text.slice(kept);
  };
}
