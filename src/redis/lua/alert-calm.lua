-- Ends a storm where few alerts go on; those that were held back are told one by one from now on.
-- KEYS: alerts, identities of those that go on, storm (see alert-seen). ARGV: now (ms), how many may go on.
if redis.call('HEXISTS', KEYS[3], 'openedAt') == 0 or redis.call('HEXISTS', KEYS[3], 'endedAt') == 1 then return end
local left = redis.call('ZRANGEBYSCORE', KEYS[2], ARGV[1], '+inf')
if #left > tonumber(ARGV[2]) then return end
redis.call('HSET', KEYS[3], 'endedAt', ARGV[1])
for _, identity in ipairs(left) do
  local alert = redis.call('HGET', KEYS[1], identity)
  if alert then
    alert = cjson.decode(alert)
    alert.isHeldBack = false
    redis.call('HSET', KEYS[1], identity, cjson.encode(alert))
  end
end
