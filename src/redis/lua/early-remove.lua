-- Forgets marks of windows whose final revision was published. KEYS: marks (see early-add). ARGV: ids.
for _, id in ipairs(ARGV) do redis.call('ZREM', KEYS[1], id) end
