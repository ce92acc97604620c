-- Ends a storm where few alerts go on; those that were held back are told one by one from now on. Also those of a fingerprint
-- that was called a false alarm meanwhile, which are not counted: once that is undone they are like all others.
-- KEYS: alerts, identities of those that go on, storm (see alert-seen). ARGV: now (ms), how many may go on.
if redis.call('HEXISTS', KEYS[3], 'openedAt') == 0 or redis.call('HEXISTS', KEYS[3], 'endedAt') == 1 then return end
if redis.call('ZCOUNT', KEYS[2], ARGV[1], '+inf') > tonumber(ARGV[2]) then return end
redis.call('HSET', KEYS[3], 'endedAt', ARGV[1])
local alerts = redis.call('HGETALL', KEYS[1])
for at = 1, #alerts, 2 do
  local alert = cjson.decode(alerts[at + 1])
  -- What has ended would be told as news.
  if alert.isHeldBack and alert.endsAt >= tonumber(ARGV[1]) then
    alert.isHeldBack = false
    redis.call('HSET', KEYS[1], alerts[at], cjson.encode(alert))
  end
end
