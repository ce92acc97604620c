-- Cancels a job, and drops what was asked and found.
-- KEYS: bytes of all jobs, open jobs, jobs that have ended, the job, its results (see job-end). ARGV: id, when (ms).
local state = redis.call('HGET', KEYS[4], 'state')
if not state or state == 'cancelled' then return end
redis.call('DECRBY', KEYS[1], redis.call('HGET', KEYS[4], 'bytes'))
redis.call('HDEL', KEYS[4], 'request')
redis.call('HSET', KEYS[4], 'state', 'cancelled', 'ended', ARGV[2], 'bytes', 0)
redis.call('UNLINK', KEYS[5])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
