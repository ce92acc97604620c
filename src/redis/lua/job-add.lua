-- Takes a job in. KEYS: bytes of all jobs, jobs that are open (sorted set: ids by when they came), the job (hash).
-- ARGV: bytes at most, id, what was asked (packed), then the job's fields (name, value)….
-- Returns 'full' where there is no room. Repeating a call changes nothing.
if redis.call('EXISTS', KEYS[3]) == 1 then return 'taken' end
local bytes = #ARGV[3]
if tonumber(redis.call('GET', KEYS[1]) or 0) + bytes > tonumber(ARGV[1]) then return 'full' end
redis.call('INCRBY', KEYS[1], bytes)
redis.call('HSET', KEYS[3], 'request', ARGV[3], 'bytes', bytes, unpack(ARGV, 4))
redis.call('ZADD', KEYS[2], redis.call('HGET', KEYS[3], 'created'), ARGV[2])
return 'taken'
