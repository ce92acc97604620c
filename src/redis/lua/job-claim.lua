-- Gives a job that nobody works on to who asks. KEYS: the job (see job-add).
-- ARGV: who, now (ms), until when nobody else gets it (ms). Returns 1, or nothing where somebody works on it.
local held = redis.call('HMGET', KEYS[1], 'state', 'until', 'by')
-- Who works on one job at a time and asks has not heard that they got this one.
if held[1] == 'running' and held[3] == ARGV[1] then return 1 end
if held[1] ~= 'queued' and not (held[1] == 'running' and tonumber(held[2] or 0) < tonumber(ARGV[2])) then return nil end
redis.call('HSET', KEYS[1], 'state', 'running', 'by', ARGV[1], 'until', ARGV[3])
redis.call('HSETNX', KEYS[1], 'started', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'tries', 1)
return 1
