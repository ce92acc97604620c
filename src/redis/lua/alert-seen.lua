-- Takes an anomalous window in.
-- KEYS: active anomalies (hash: fingerprint to 'first seen, last seen, ends at, times, content'), ids of the fingerprint's
-- windows (sorted by when they came), windows that were raised early (hash: id to fingerprint, or - once that is over). ARGV: fingerprint, window id,
-- now (ms), hold (ms), content, which nobody reads here; how long ids are known (ms), and how many; `raised` of a window that
-- is open, `confirmed` of one that was raised with this fingerprint and has closed, or nothing.
-- Returns what is active of the fingerprint. A window that was taken in before changes nothing, be its spell over or not,
-- unless it is confirmed: then the content is the newer, and the spell is held from now on.
local now = tonumber(ARGV[3])
if ARGV[8] == 'raised' and redis.call('HGET', KEYS[3], ARGV[2]) == '-' then return redis.call('HGET', KEYS[1], ARGV[1]) end
local isNew = redis.call('ZADD', KEYS[2], 'NX', now, ARGV[2]) == 1
local known = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[8] == 'raised' then
  redis.call('HSET', KEYS[3], ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[3], ARGV[6])
elseif ARGV[8] == 'confirmed' then
  redis.call('HSET', KEYS[3], ARGV[2], '-')
elseif not isNew then
  return known
end
if ARGV[8] == 'raised' and not isNew then return known end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.0f', now - tonumber(ARGV[6])))
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[7]))
redis.call('PEXPIRE', KEYS[2], ARGV[6])

local first, times = ARGV[3], 0
if known then
  local its, _, endsAt, count = string.match(known, '^(%d+) (%d+) (%d+) (%d+) ')
  -- Otherwise that spell is over; whoever resends has not yet forgotten it.
  if tonumber(endsAt) >= now then first, times = its, tonumber(count) end
end
if isNew or times == 0 then times = times + 1 end
local endsAt = string.format('%.0f', now + tonumber(ARGV[4]))
local anomaly = table.concat({ first, ARGV[3], endsAt, string.format('%.0f', times), ARGV[5] }, ' ')
redis.call('HSET', KEYS[1], ARGV[1], anomaly)
return anomaly
