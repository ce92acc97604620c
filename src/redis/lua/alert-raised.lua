-- The identity that a window was raised with early. KEYS: windows that were raised (see alert-seen). ARGV: window id.
return redis.call('HGET', KEYS[1], ARGV[1])
