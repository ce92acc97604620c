-- Takes in what a person says of a verdict, unless something newer is held.
-- KEYS: 1 state, 2 feedback (hash: id to 'when (ms)', a space, its place among sayings or -, a space and the rest as JSON), 3 changes
-- (see index-put), 4 sayings (sorted set without scores, of what is not undone: name:when:id, with the name of a fingerprint in
-- its pipeline), 5 false alarms (hash: that name to the rest of what was said of it last, where that is one).
-- ARGV: 1 incarnation, or nothing for any, 2 id, 3 when (ms), 4 name, 5 place or -, 6 the rest.
-- Returns 'lost' where another incarnation is held.
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then return 'lost' end
local at, former = string.match(redis.call('HGET', KEYS[2], ARGV[2]) or '', '^(%d+) (%S+)')
if at and tonumber(at) > tonumber(ARGV[3]) then return 'known' end

local function weigh(name)
  local last = redis.call('ZREVRANGEBYLEX', KEYS[4], '(' .. name .. '::', '[' .. name .. ':', 'LIMIT', 0, 1)[1]
  local said = last and string.match(redis.call('HGET', KEYS[2], string.match(last, '[^:]*$')) or '', '{.*')
  if said and cjson.decode(said).judgement == 'false-alarm' then
    redis.call('HSET', KEYS[5], name, said)
  else
    redis.call('HDEL', KEYS[5], name)
  end
end

redis.call('HSET', KEYS[2], ARGV[2], ARGV[3] .. ' ' .. ARGV[5] .. ' ' .. ARGV[6])
if ARGV[5] ~= '-' then redis.call('ZADD', KEYS[4], 0, ARGV[5]) end
if former and former ~= '-' and former ~= ARGV[5] then
  redis.call('ZREM', KEYS[4], former)
  weigh(string.match(former, '^[^:]*'))
end
weigh(ARGV[4])
local counts = { redis.call('HLEN', KEYS[2]), redis.call('ZCARD', KEYS[4]), redis.call('HLEN', KEYS[5]) }
redis.call('HSET', KEYS[1], 'feedback', table.concat(counts, ' '))
if redis.call('ZSCORE', KEYS[3], ARGV[2]) then
  redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[1], 'number', 1), ARGV[2])
end
return 'taken'
