-- Says what became of windows before they closed. Repeating a call changes nothing.
-- KEYS: marks (`state id` by when it was set). ARGV: milliseconds after which a mark is forgotten, now (ms), state, ids…
local now = tonumber(ARGV[2])
for at = 4, #ARGV do
  for _, state in ipairs({ 'announced', 'raised', 'done' }) do
    if state ~= ARGV[3] then redis.call('ZREM', KEYS[1], state .. ' ' .. ARGV[at]) end
  end
  redis.call('ZADD', KEYS[1], now, ARGV[3] .. ' ' .. ARGV[at])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', now - tonumber(ARGV[1])))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
