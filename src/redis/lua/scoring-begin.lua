-- Marks windows that are about to be scored; who dies meanwhile leaves the mark.
-- KEYS: marks. ARGV: milliseconds after which marks are forgotten, ids.
for at = 2, #ARGV do redis.call('HINCRBY', KEYS[1], ARGV[at], 1) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
