-- Remembers when an Alertmanager first took alerts.
-- KEYS: names of alerts that it took (sorted by when it first did). ARGV: now (ms), since when they are known (ms), name…
for at = 3, #ARGV do redis.call('ZADD', KEYS[1], 'NX', ARGV[1], ARGV[at]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[1]) - tonumber(ARGV[2]))
