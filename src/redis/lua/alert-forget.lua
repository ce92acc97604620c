-- Forgets alerts that have ended, unless they began again meanwhile.
-- KEYS: alerts (see alert-seen). ARGV: (identity, when it was opened, when it ended)…
for at = 1, #ARGV, 3 do
  local alert = redis.call('HGET', KEYS[1], ARGV[at])
  if alert then
    alert = cjson.decode(alert)
    if alert.openedAt == tonumber(ARGV[at + 1]) and alert.endsAt == tonumber(ARGV[at + 2]) then
      redis.call('HDEL', KEYS[1], ARGV[at])
    end
  end
end
