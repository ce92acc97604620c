-- KEYS: the job (see job-add). ARGV: names of fields. Returns their values.
return redis.call('HMGET', KEYS[1], unpack(ARGV))
