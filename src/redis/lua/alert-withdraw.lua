-- Takes a window back that was raised early.
-- KEYS: 1 to 5 of alert-seen. ARGV: identity that it was raised with, window id, now (ms), how long ids are known (ms).
-- Returns what is left of its alert; it ends now where this was its only window, and else says what the newest window that is
-- left said. Repeating a call changes nothing.
local identity, id, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
redis.call('SET', KEYS[4], '-', 'PX', ARGV[4])
redis.call('HDEL', KEYS[3], id)
local known = redis.call('HGET', KEYS[1], identity)
local came = redis.call('ZSCORE', KEYS[2], id)
if not came or not known then return known end
redis.call('ZREM', KEYS[2], id)
local alert = cjson.decode(known)
-- Of an earlier spell, which is over.
if tonumber(came) < alert.firstSeen then return known end
alert.times = math.max(alert.times - 1, 0)
if alert.times == 0 and alert.endsAt > now then
  -- Clocks of alerters differ: nothing ends before it began.
  alert.endsAt, alert.isOver = math.max(now, alert.openedAt), true
  redis.call('ZREM', KEYS[5], identity)
elseif alert.times > 0 then
  local newest, its
  for _, one in ipairs(redis.call('HKEYS', KEYS[3])) do
    local time = tonumber(redis.call('ZSCORE', KEYS[2], one) or 0)
    if not its or time > its then newest, its = one, time end
  end
  if newest then alert.annotations = cjson.decode(redis.call('HGET', KEYS[3], newest)) end
end
redis.call('HSET', KEYS[1], identity, cjson.encode(alert))
return redis.call('HGET', KEYS[1], identity)
