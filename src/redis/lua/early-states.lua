-- What became of windows before they closed. KEYS: marks (see early-set). ARGV: ids. Returns a state each, or an empty text.
local states = {}
for at, id in ipairs(ARGV) do
  states[at] = ''
  for _, state in ipairs({ 'announced', 'raised', 'done' }) do
    if redis.call('ZSCORE', KEYS[1], state .. ' ' .. id) then states[at] = state end
  end
end
return states
