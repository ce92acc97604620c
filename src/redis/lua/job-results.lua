-- KEYS: results of a job (see job-report). ARGV: from which on, and to which. Returns them.
return redis.call('LRANGE', KEYS[1], ARGV[1], ARGV[2])
