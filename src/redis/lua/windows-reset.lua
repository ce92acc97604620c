-- Replaces the windows of one lines-partition.
-- KEYS: state, open, overlap, pending. ARGV: expected incarnation ('' where nothing was there), then as windows-apply
-- from the new incarnation on, without the overlap's flag: incarnation, mark, progress, four numbers, items.
-- Returns 'applied', or 'fenced' where another incarnation is there.
local incarnation = redis.call('HGET', KEYS[1], 'incarnation')
if incarnation and incarnation ~= ARGV[1] and incarnation ~= ARGV[2] then return 'fenced' end

redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
local at = 9
local function setAll(key, count)
  local last = at + 2 * count - 1
  while at <= last do
    local till = math.min(at + 999, last)
    redis.call('HSET', key, unpack(ARGV, at, till))
    at = till + 1
  end
end
setAll(KEYS[2], tonumber(ARGV[5]))
setAll(KEYS[3], tonumber(ARGV[7]))
setAll(KEYS[4], tonumber(ARGV[8]))
redis.call('HSET', KEYS[1], 'incarnation', ARGV[2], 'mark', ARGV[3], 'progress', ARGV[4],
  'open', redis.call('HLEN', KEYS[2]), 'overlaps', redis.call('HLEN', KEYS[3]))
return 'applied'
