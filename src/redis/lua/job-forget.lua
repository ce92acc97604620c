-- Forgets a job that has ended. KEYS: bytes of all jobs, jobs that have ended, the job, its results. ARGV: id.
redis.call('DECRBY', KEYS[1], redis.call('HGET', KEYS[3], 'bytes') or 0)
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('UNLINK', KEYS[3], KEYS[4])
