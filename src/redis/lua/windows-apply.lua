-- Changes the windows of one lines-partition, all of it or nothing.
-- KEYS: state, open, overlap, pending (hashes in one slot).
-- ARGV: expected incarnation, expected mark; new incarnation, new mark, progress (JSON);
--       1 to clear the overlap first; numbers of: opened, released, overlap, pending;
--       then opened (seq, entry)…, released (seq)…, overlap (key, lines)…, pending (id, window)…
-- Returns 'applied', or 'fenced' where the state is not the expected one. Repeating a call changes nothing.
local state = redis.call('HMGET', KEYS[1], 'incarnation', 'mark')
if state[1] == ARGV[3] and state[2] == ARGV[4] then return 'applied' end
if state[1] ~= ARGV[1] or state[2] ~= ARGV[2] then return 'fenced' end

if ARGV[6] == '1' then redis.call('DEL', KEYS[3]) end
local at = 11
-- unpack fails at some thousands of elements.
local function each(count, step)
  local last = at + count - 1
  while at <= last do
    local till = math.min(at + 999, last)
    step(at, till)
    at = till + 1
  end
end
local function set(key)
  return function(from, till) redis.call('HSET', key, unpack(ARGV, from, till)) end
end
each(2 * tonumber(ARGV[7]), set(KEYS[2]))
each(tonumber(ARGV[8]), function(from, till) redis.call('HDEL', KEYS[2], unpack(ARGV, from, till)) end)
each(2 * tonumber(ARGV[9]), set(KEYS[3]))
each(2 * tonumber(ARGV[10]), set(KEYS[4]))
redis.call('HSET', KEYS[1], 'incarnation', ARGV[3], 'mark', ARGV[4], 'progress', ARGV[5],
  'open', redis.call('HLEN', KEYS[2]), 'overlaps', redis.call('HLEN', KEYS[3]))
return 'applied'
