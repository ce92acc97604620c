/** Distinct texts in the order of their characters. */
export interface SortedTexts {
  add(text: string): void;
  remove(text: string): void;
  /** From `from` on and before `to`, at most so many, from either end. */
  range(from: string, to: string, limit: number, options?: { fromEnd?: boolean }): string[];
}

export function createSortedTexts(): SortedTexts {
  const texts: string[] = [];

  /** Where the first text stands that is not below. */
  function placeOf(text: string): number {
    let [low, high] = [0, texts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((texts[middle] ?? "") < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    add(text) {
      const place = placeOf(text);
      if (texts[place] !== text) texts.splice(place, 0, text);
    },
    remove(text) {
      const place = placeOf(text);
      if (texts[place] === text) texts.splice(place, 1);
    },
    range(from, to, limit, { fromEnd = false } = {}) {
      const [first, end] = [placeOf(from), placeOf(to)];
      if (!fromEnd) return texts.slice(first, Math.min(end, first + limit));
      return texts.slice(Math.max(first, end - limit), Math.max(first, end)).reverse();
    },
  };
}
