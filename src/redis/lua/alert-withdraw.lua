-- Takes a window back that was raised early.
-- KEYS: as of alert-seen. ARGV: fingerprint that it was raised with, window id, now (ms).
-- Returns what is active of the fingerprint; it ends now where this was its only window. Repeating a call changes nothing.
redis.call('HSET', KEYS[3], ARGV[2], '-')
local known = redis.call('HGET', KEYS[1], ARGV[1])
local came = redis.call('ZSCORE', KEYS[2], ARGV[2])
if not came or not known then return known end
redis.call('ZREM', KEYS[2], ARGV[2])
local first, last, endsAt, times, content = string.match(known, '^(%d+) (%d+) (%d+) (%d+) (.*)$')
-- Of an earlier spell, which is over.
if tonumber(came) < tonumber(first) then return known end
local left = tonumber(times) - 1
if left <= 0 and tonumber(endsAt) > tonumber(ARGV[3]) then endsAt = ARGV[3] end
local anomaly = table.concat({ first, last, endsAt, string.format('%.0f', math.max(left, 0)), content }, ' ')
redis.call('HSET', KEYS[1], ARGV[1], anomaly)
return anomaly
