-- Takes in a window that could not be judged.
-- KEYS: what goes on of such windows (hash: openedAt, lastSeen, endsAt, times), why (hash: reason to how many), their ids (sorted
-- by when they came). ARGV: window id, reason, now (ms), hold (ms), how long ids are known (ms), and how many.
-- A window that was taken in before changes nothing. Returns 1 where others begin with it, else 0.
if redis.call('ZADD', KEYS[3], 'NX', ARGV[3], ARGV[1]) == 0 then return 0 end
local now = tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. string.format('%.0f', now - tonumber(ARGV[5])))
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[6]))
redis.call('PEXPIRE', KEYS[3], ARGV[5])
local begins = tonumber(redis.call('HGET', KEYS[1], 'endsAt') or 0) < now
if begins then
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'openedAt', ARGV[3])
end
redis.call('HSET', KEYS[1], 'lastSeen', ARGV[3], 'endsAt', string.format('%.0f', now + tonumber(ARGV[4])))
redis.call('HINCRBY', KEYS[1], 'times', 1)
redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
return begins and 1 or 0
