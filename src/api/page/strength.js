const mostCertain = 0.99;
/** @param {number} probability */
const logOdds = (probability) => {
  const within = Math.min(0.9999, Math.max(0.0001, probability));
  return Math.log(within / (1 - within));
};

/**
 * How far a score is above its threshold, from 0 to 1, by log-odds: between 0.90 and 0.99 lies as much as between 0.50
 * and 0.90, and a picture of probabilities would show all of it alike.
 * @param {{ score: number | null, threshold: number }} anomaly
 */
export function strengthOf({ score, threshold }) {
  if (score === null) return 0;
  const [from, to] = [logOdds(threshold), Math.max(logOdds(mostCertain), logOdds(threshold) + 1)];
  return Math.min(1, Math.max(0, (logOdds(score) - from) / (to - from)));
}
