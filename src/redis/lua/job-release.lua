-- Leaves a job to whoever comes next. KEYS: the job (see job-add). ARGV: whose it is.
if redis.call('HGET', KEYS[1], 'by') == ARGV[1] then redis.call('HSET', KEYS[1], 'until', 0, 'tries', 0) end
