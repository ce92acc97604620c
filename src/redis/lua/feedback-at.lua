-- Whether a partition of the feedback topic was read to this offset and no further.
-- KEYS: see feedback-begin. ARGV: partition, offset, 1 where nothing more stands now.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] == '1' then redis.call('HSET', KEYS[2], ARGV[1], 1) end
return 1
