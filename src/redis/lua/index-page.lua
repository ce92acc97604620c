-- Anomalies of one name, from the newest backwards. KEYS: places, summaries, feedback (see index-put).
-- ARGV: first place, place before which they stand, how many. Returns (place, summary, feedback or nothing)….
local found = {}
local max, min = '(' .. ARGV[2], '[' .. ARGV[1]
for _, place in ipairs(redis.call('ZREVRANGEBYLEX', KEYS[1], max, min, 'LIMIT', 0, ARGV[3])) do
  local id = string.match(place, '[^:]*$')
  local summary = redis.call('HGET', KEYS[2], id)
  if summary then
    found[#found + 1] = place
    found[#found + 1] = summary
    found[#found + 1] = redis.call('HGET', KEYS[3], id) or ''
  end
end
return found
