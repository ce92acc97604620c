-- Says how far a partition of a topic was taken into the index of anomalies. Written after what was taken in, so that a
-- replica that holds it holds that, too. Repeating a call changes nothing.
-- KEYS: state (see index-put; beside it by partition `read:` and its name to an offset).
-- ARGV: incarnation, partition, offset it was read to before (nothing: not at all), and is now.
-- Returns 'lost' where another incarnation is held, or the partition was read to elsewhere.
local held = redis.call('HMGET', KEYS[1], 'incarnation', 'read:' .. ARGV[2])
local read = held[2] or ''
if held[1] ~= ARGV[1] or (read ~= ARGV[3] and read ~= ARGV[4]) then return 'lost' end
redis.call('HSET', KEYS[1], 'read:' .. ARGV[2], ARGV[4])
return 'taken'
