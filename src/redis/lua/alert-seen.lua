-- Takes an anomalous window in. KEYS: active anomalies (hash: fingerprint to JSON), ids of a spell's windows (set).
-- ARGV: fingerprint, window id, now (ms), hold (ms), content (JSON). Returns the anomaly as JSON.
-- A window that was taken in before changes nothing.
local now, hold = tonumber(ARGV[3]), tonumber(ARGV[4])
local known = redis.call('HGET', KEYS[1], ARGV[1])
local anomaly = known and cjson.decode(known)
if anomaly and anomaly.endsAt < now then
  -- That spell is over; whoever resends has not yet forgotten it.
  anomaly = nil
  redis.call('DEL', KEYS[2])
end
local isNew = redis.call('SADD', KEYS[2], ARGV[2]) == 1
if anomaly and not isNew then return known end
anomaly = anomaly or { fingerprint = ARGV[1], firstSeen = now, times = 0 }
anomaly.times = anomaly.times + 1
anomaly.lastSeen = now
anomaly.endsAt = now + hold
anomaly.newest = cjson.decode(ARGV[5])
local encoded = cjson.encode(anomaly)
redis.call('HSET', KEYS[1], ARGV[1], encoded)
redis.call('PEXPIRE', KEYS[2], 2 * hold)
return encoded
