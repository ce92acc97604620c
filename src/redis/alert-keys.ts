/** Keys of a pipeline's alerts, all of one shard. What each holds stands in `lua/alert-seen.lua` and `lua/feedback-apply.lua`. */
export function alertKeys(name: string) {
  const base = `lg:v1:{${name}:alerts}`;
  return {
    base,
    alerts: `${base}:open`,
    active: `${base}:ends`,
    storm: `${base}:storm`,
    undecided: `${base}:undecided`,
    reasons: `${base}:undecided:reasons`,
    said: `${base}:said`,
    sayings: `${base}:sayings`,
    suppressed: `${base}:suppressed`,
    keptQuiet: `${base}:suppressed:times`,
    read: `${base}:feedback:read`,
    readToEnd: `${base}:feedback:end`,
  };
}
