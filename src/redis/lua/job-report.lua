-- More results of a job, or that it is worked on. KEYS: bytes of all jobs, the job, its results (list).
-- ARGV: who, until when nobody else gets it (ms), bytes of all jobs at most, seconds that it took, how many results are
-- known, results…. Returns 'lost' where it is not theirs any more, 'full' where there is no room. Repeating a call changes
-- nothing.
local held = redis.call('HMGET', KEYS[2], 'state', 'by')
if held[1] ~= 'running' or held[2] ~= ARGV[1] then return 'lost' end
redis.call('HSET', KEYS[2], 'until', ARGV[2])
local known = redis.call('LLEN', KEYS[3])
if #ARGV == 5 or known == ARGV[5] + #ARGV - 5 then return 'taken' end
if known ~= tonumber(ARGV[5]) then return 'lost' end
local bytes = 0
for at = 6, #ARGV do bytes = bytes + #ARGV[at] end
if tonumber(redis.call('GET', KEYS[1]) or 0) + bytes > tonumber(ARGV[3]) then return 'full' end
redis.call('INCRBY', KEYS[1], bytes)
redis.call('HINCRBY', KEYS[2], 'bytes', bytes)
redis.call('HINCRBYFLOAT', KEYS[2], 'seconds', ARGV[4])
redis.call('HSET', KEYS[2], 'done', redis.call('RPUSH', KEYS[3], unpack(ARGV, 6)), 'tries', 0)
return 'taken'
