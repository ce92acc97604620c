-- Forgets anomalies that have ended, unless they began again meanwhile.
-- KEYS: active anomalies (see alert-seen). ARGV: (fingerprint, when it ended)…
for at = 1, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[at])
  if known and string.match(known, '^%d+ %d+ (%d+) ') == ARGV[at + 1] then redis.call('HDEL', KEYS[1], ARGV[at]) end
end
