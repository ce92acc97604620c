-- Takes in what a person says of a verdict, unless something newer is held.
-- KEYS: 1 state, 2 feedback and 3 sayings (see what-holds), 4 false alarms (hash: name of a fingerprint to what was said last of it,
-- where that is one), 5 changes (see index-put).
-- ARGV: 1 incarnation, or nothing for any, 2 id, 3 when (ms), 4 name, 5 place or -, 6 the rest.
-- Returns 'lost' where another incarnation is held.
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then return 'lost' end
local one = { id = ARGV[2], at = tonumber(ARGV[3]), name = ARGV[4], place = ARGV[5], rest = ARGV[6] }
local names = take(KEYS[2], KEYS[3], one)
if not next(names) then return 'known' end
for name in pairs(names) do
  local holds = falseAlarm(KEYS[2], KEYS[3], name)
  if holds then
    redis.call('HSET', KEYS[4], name, holds)
  else
    redis.call('HDEL', KEYS[4], name)
  end
end
local counts = { redis.call('HLEN', KEYS[2]), redis.call('ZCARD', KEYS[3]), redis.call('HLEN', KEYS[4]) }
redis.call('HSET', KEYS[1], 'feedback', table.concat(counts, ' '))
if redis.call('ZSCORE', KEYS[5], one.id) then
  redis.call('ZADD', KEYS[5], redis.call('HINCRBY', KEYS[1], 'number', 1), one.id)
end
return 'taken'
