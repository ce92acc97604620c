-- Which windows are marked. KEYS: marks (see early-add). ARGV: ids. Returns those that are.
local marked = {}
for _, id in ipairs(ARGV) do
  if redis.call('ZSCORE', KEYS[1], id) then marked[#marked + 1] = id end
end
return marked
