-- KEYS: jobs (sorted set: ids by time, see job-add and job-end). ARGV: up to which time. Returns ids, the oldest first.
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
