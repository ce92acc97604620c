-- When an Alertmanager first took alerts. KEYS: see alert-told. ARGV: name… Returns for each a time (ms), or an empty text.
local times = {}
for at, name in ipairs(ARGV) do times[at] = redis.call('ZSCORE', KEYS[1], name) or '' end
return times
