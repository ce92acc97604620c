-- Takes in what a person says of a verdict, unless something newer is held.
-- KEYS: state, feedback (hash: id to 'when (ms)', a space and the rest), changes (see index-put).
-- ARGV: incarnation, or nothing for any; id, when (ms), the rest. Returns 'lost' where another incarnation is held.
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then return 'lost' end
local known = redis.call('HGET', KEYS[2], ARGV[2])
if known and tonumber(string.match(known, '^%d+')) > tonumber(ARGV[3]) then return 'known' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3] .. ' ' .. ARGV[4])
redis.call('HSET', KEYS[1], 'feedback', redis.call('HLEN', KEYS[2]))
if redis.call('ZSCORE', KEYS[3], ARGV[2]) then
  redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[1], 'number', 1), ARGV[2])
end
return 'taken'
