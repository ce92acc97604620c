-- Where to read on in a partition of the feedback topic.
-- KEYS: where each was read to (hash: partition to offset), which were read to their end (hash: partition to 1).
-- ARGV: partition, offsets where its log starts and ends.
local mark = tonumber(redis.call('HGET', KEYS[1], ARGV[1]))
if mark and mark >= tonumber(ARGV[2]) and mark <= tonumber(ARGV[3]) then return mark end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[1])
return tonumber(ARGV[2])
