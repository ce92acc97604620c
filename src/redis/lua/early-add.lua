-- Marks windows that are about to be published before they close. Repeating a call changes nothing.
-- KEYS: marks (window ids by when they were marked). ARGV: milliseconds after which a mark is forgotten, now (ms), ids…
local now = tonumber(ARGV[2])
for at = 3, #ARGV do redis.call('ZADD', KEYS[1], 'NX', now, ARGV[at]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', now - tonumber(ARGV[1])))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
