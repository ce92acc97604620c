-- The incarnation of the index of anomalies. One that is not whole, as after Redis evicted a key, is thrown away whole.
-- KEYS: state, summaries, documents, places, ages, changes, feedback, sayings, false alarms (see index-put and index-say).
-- ARGV: incarnation to begin with where there is none; places of an entry.
local count = redis.call('HLEN', KEYS[2])
local held = redis.call('HMGET', KEYS[1], 'incarnation', 'feedback')
local said = { redis.call('HLEN', KEYS[7]), redis.call('ZCARD', KEYS[8]), redis.call('HLEN', KEYS[9]) }
if held[1] and redis.call('HLEN', KEYS[3]) == count and redis.call('ZCARD', KEYS[4]) == count * tonumber(ARGV[2])
  and redis.call('ZCARD', KEYS[5]) == count and redis.call('ZCARD', KEYS[6]) == count
  and table.concat(said, ' ') == held[2] then
  return held[1]
end
redis.call('UNLINK', unpack(KEYS))
redis.call('HSET', KEYS[1], 'incarnation', ARGV[1], 'number', 0, 'bytes', 0, 'feedback', '0 0 0')
return ARGV[1]
