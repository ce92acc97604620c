/**
 * What is shown stands in the address, behind the #: it can be shared and gone back to, and is never sent to a server.
 * @typedef {Partial<Record<"pipeline" | "origin" | "verdict" | "feedback" | "from" | "to" | "last" | "text", string>>} Filter
 * @typedef {{ view: "anomalies" | "anomaly" | "groups" | "group", name?: string, filter: Filter }} Place
 */

export const filterNames = /** @type {const} */ ([
  ...["pipeline", "origin", "verdict", "feedback", "from", "to", "last", "text"],
]);

const spansMs = { "15m": 900_000, "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000 };

/** When the last hour, or day, began; to the minute: the same question a moment later is no other one. @param {string | undefined} last */
export function sinceOf(last) {
  const span = spansMs[/** @type {keyof typeof spansMs} */ (last)];
  return span === undefined
    ? undefined
    : new Date(Math.floor((Date.now() - span) / 60_000) * 60_000).toISOString();
}

/** @param {string} hash @returns {Place} */
export function placeIn(hash) {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?");
  const asked = new URLSearchParams(query);
  /** @type {Filter} */
  const filter = {};
  for (const name of filterNames) {
    const value = asked.get(name);
    const isTime = name === "from" || name === "to";
    if (value && !(isTime && Number.isNaN(Date.parse(value)))) filter[name] = value;
  }
  const [, room, name] = path.split("/").map(decoded);
  if (room === "groups") return name ? { view: "group", name, filter } : { view: "groups", filter };
  return room === "anomalies" && name ? { view: "anomaly", name, filter } : { view: "anomalies", filter };
}

/** @param {Place} place */
export function addressOf({ view, name, filter }) {
  const room = view === "groups" || view === "group" ? "groups" : "anomalies";
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value)).toString();
  return `#/${room}${name === undefined ? "" : `/${encodeURIComponent(name)}`}${query === "" ? "" : `?${query}`}`;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
