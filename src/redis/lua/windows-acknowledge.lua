-- Forgets closed windows that were published.
-- KEYS: state, pending. ARGV: ids. What is not whole stays as it is, so that it is seen not to be.
if redis.call('HLEN', KEYS[2]) ~= tonumber(redis.call('HGET', KEYS[1], 'pending') or -1) then return end
redis.call('HDEL', KEYS[2], unpack(ARGV))
redis.call('HSET', KEYS[1], 'pending', redis.call('HLEN', KEYS[2]))
