-- What changed behind a point. KEYS: state, changes, summaries, feedback (see index-put).
-- ARGV: incarnation and number of the point, how many. Returns incarnation and number of the last change, then
-- (number, summary, feedback or nothing)… where the point is of that incarnation.
local held = redis.call('HMGET', KEYS[1], 'incarnation', 'number')
local found = { held[1] or '', held[2] or '0' }
if held[1] ~= ARGV[1] then return found end
local changed = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for at = 1, #changed, 2 do
  found[#found + 1] = changed[at + 1]
  found[#found + 1] = redis.call('HGET', KEYS[3], changed[at]) or ''
  found[#found + 1] = redis.call('HGET', KEYS[4], changed[at]) or ''
end
return found
