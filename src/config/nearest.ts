import { closest, distance } from "fastest-levenshtein";

/** Letters by which a name may differ from a setting's to be taken for it. */
const mostTypos = 2;

/** The name that was probably meant, if there is one. */
export function nearestTo(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const nearest = closest(name, known);
  return distance(name, nearest) <= mostTypos ? nearest : undefined;
}
