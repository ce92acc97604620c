-- Ends a job of whose it is. What was asked is not needed any more.
-- KEYS: bytes of all jobs, open jobs (see job-add), jobs that have ended (likewise), the job.
-- ARGV: who, id, when (ms), state, why (JSON, or nothing). Returns 'lost' where it is not theirs any more.
local held = redis.call('HMGET', KEYS[4], 'state', 'by')
if held[1] ~= 'running' or held[2] ~= ARGV[1] then return 'lost' end
local bytes = redis.call('HSTRLEN', KEYS[4], 'request')
redis.call('DECRBY', KEYS[1], bytes)
redis.call('HINCRBY', KEYS[4], 'bytes', -bytes)
redis.call('HDEL', KEYS[4], 'request')
redis.call('HSET', KEYS[4], 'state', ARGV[4], 'ended', ARGV[3])
if ARGV[5] ~= '' then redis.call('HSET', KEYS[4], 'error', ARGV[5]) end
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
return 'taken'
