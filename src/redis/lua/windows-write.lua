-- Writes one part of a change of a lines-partition's windows. Each call is atomic; until the last part of a change has
-- come, the mark is not a number and the state not whole.
-- KEYS: state, open, overlap, pending (hashes in one slot).
-- ARGV: expected incarnation, expected mark; new incarnation, new mark, progress (JSON); 1 to replace whatever the
--       expected incarnation (or none) has, at that mark, or any where it is empty; then packed, each string after its length in four bytes:
--       opened (seq, entry)…, released (seq)…, overlap (key, lines)…, forgotten (key)…, pending (id, window)…
-- Returns 'applied', or 'fenced' where the state is not the expected one or not whole. Repeating a call changes nothing.
local held = redis.call('HMGET', KEYS[1], 'incarnation', 'mark', 'open', 'overlap', 'pending')
if held[1] == ARGV[3] and held[2] == ARGV[4] then return 'applied' end
if ARGV[6] == '1' then
  if held[1] and (held[1] ~= ARGV[1] or (ARGV[2] ~= '' and held[2] ~= ARGV[2])) then return 'fenced' end
  redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
else
  if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 'fenced' end
  -- Redis may have evicted a key: its number must not become true again.
  for at = 2, 4 do
    if redis.call('HLEN', KEYS[at]) ~= tonumber(held[at + 1]) then return 'fenced' end
  end
end

local function each(packed, command, key)
  local at, args = 1, {}
  while at <= #packed do
    args[#args + 1], at = struct.unpack('>I4c0', packed, at)
    -- unpack fails at some thousands of elements.
    if #args == 1000 or at > #packed then
      redis.call(command, key, unpack(args))
      args = {}
    end
  end
end
each(ARGV[7], 'HSET', KEYS[2])
each(ARGV[8], 'HDEL', KEYS[2])
each(ARGV[9], 'HSET', KEYS[3])
each(ARGV[10], 'HDEL', KEYS[3])
each(ARGV[11], 'HSET', KEYS[4])
redis.call('HSET', KEYS[1], 'incarnation', ARGV[3], 'mark', ARGV[4], 'progress', ARGV[5], 'open',
  redis.call('HLEN', KEYS[2]), 'overlap', redis.call('HLEN', KEYS[3]), 'pending', redis.call('HLEN', KEYS[4]))
return 'applied'
