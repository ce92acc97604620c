-- Marks windows that are about to be scored; who dies meanwhile leaves the mark.
-- KEYS: marks. ARGV: milliseconds after which marks are forgotten, (id, tries)… Repeating a call changes nothing.
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
