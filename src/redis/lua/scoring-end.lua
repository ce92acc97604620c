-- Windows that were scored. KEYS: marks. ARGV: ids.
redis.call('HDEL', KEYS[1], unpack(ARGV))
