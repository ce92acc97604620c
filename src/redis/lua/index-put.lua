-- Takes a revision of a verdict into the index of anomalies, where it is newer than what is held of its id: by its rank, or
-- judged anew since, by another model or otherwise.
-- KEYS: state (hash: incarnation, number of the last change, bytes, how much was said: feedback, sayings, false alarms; see
-- index-advance), summaries (hash: id to 'rank places…', a newline and what a list shows), documents (hash), places (sorted
-- set without scores: name:time:id), ages (sorted set: ids by when they were published), changes (sorted set: ids by the
-- number of their last change).
-- ARGV: incarnation, id, rank, when it was published (ms), 1 where it is of interest only if its id is held, bytes of an
-- entry beside what it holds, summary, document, places….
-- Returns 'lost' where another incarnation is held.
if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then return 'lost' end
local id = ARGV[2]
local known = redis.call('HGET', KEYS[2], id)
if known then
  local rank, places = string.match(known, '^(%d+) ([^\n]*)\n')
  if tonumber(rank) > tonumber(ARGV[3]) then return 'known' end
  if tonumber(rank) == tonumber(ARGV[3]) then
    local at = tonumber(redis.call('ZSCORE', KEYS[5], id) or 0)
    local before, now = cjson.decode(string.match(known, '\n(.*)$')), cjson.decode(ARGV[7])
    local isSame = before.model.name == now.model.name and before.model.version == now.model.version
      and before.verdict == now.verdict and before.score == now.score
    if isSame or at > tonumber(ARGV[4]) then return 'known' end
  end
  for place in string.gmatch(places, '%S+') do redis.call('ZREM', KEYS[4], place) end
  local bytes = ARGV[6] + redis.call('HSTRLEN', KEYS[2], id) + redis.call('HSTRLEN', KEYS[3], id)
  redis.call('HINCRBY', KEYS[1], 'bytes', -bytes)
elseif ARGV[5] == '1' then
  return 'unknown'
end
local summary = ARGV[3] .. ' ' .. table.concat(ARGV, ' ', 9) .. '\n' .. ARGV[7]
redis.call('HSET', KEYS[2], id, summary)
redis.call('HSET', KEYS[3], id, ARGV[8])
for at = 9, #ARGV do redis.call('ZADD', KEYS[4], 0, ARGV[at]) end
redis.call('ZADD', KEYS[5], ARGV[4], id)
redis.call('ZADD', KEYS[6], redis.call('HINCRBY', KEYS[1], 'number', 1), id)
redis.call('HINCRBY', KEYS[1], 'bytes', ARGV[6] + #summary + #ARGV[8])
return 'taken'
