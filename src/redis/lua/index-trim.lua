-- Forgets the oldest anomalies that are too old, or too much.
-- KEYS: state, summaries, documents, places, ages, changes (see index-put).
-- ARGV: published before (ms), bytes at most, bytes of an entry beside what it holds, how many at once.
-- Returns how many it forgot; as many as it may means that there may be more.
local most = tonumber(ARGV[4])
local forgotten = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[5], 0, most - 1)) do
  local isOld = tonumber(redis.call('ZSCORE', KEYS[5], id)) < tonumber(ARGV[1])
  local bytes = tonumber(redis.call('HGET', KEYS[1], 'bytes') or 0)
  if not isOld and bytes <= tonumber(ARGV[2]) then break end
  local summary = redis.call('HGET', KEYS[2], id) or ''
  for place in string.gmatch(string.match(summary, '^%d+ ([^\n]*)\n') or '', '%S+') do
    redis.call('ZREM', KEYS[4], place)
  end
  redis.call('HINCRBY', KEYS[1], 'bytes', -(ARGV[3] + #summary + redis.call('HSTRLEN', KEYS[3], id)))
  redis.call('HDEL', KEYS[2], id)
  redis.call('HDEL', KEYS[3], id)
  redis.call('ZREM', KEYS[5], id)
  redis.call('ZREM', KEYS[6], id)
  forgotten = forgotten + 1
end
return forgotten
