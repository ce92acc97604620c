-- Removes a job with all it holds. Repeating a call changes nothing.
-- KEYS: bytes of all jobs, open jobs, jobs that have ended (see job-end), the job, its results. ARGV: id.
redis.call('DECRBY', KEYS[1], redis.call('HGET', KEYS[4], 'bytes') or 0)
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('UNLINK', KEYS[4], KEYS[5])
