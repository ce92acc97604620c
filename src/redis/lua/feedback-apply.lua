-- Takes in what people said of fingerprints between two offsets of a partition of the feedback topic.
-- KEYS: 1 where each partition was read to, 2 what was said and 3 sayings (see what-holds), 4 suppressions (hash: fingerprint to
-- JSON), 5 what they kept quiet, 6 identities that are told (see alert-seen).
-- ARGV: 1 partition, 2 and 3 the offsets, 4 now (ms), 5 what was said, in order, as JSON: as what-holds takes it; the rest is again
-- JSON: fingerprint, id, judgement, at, by, note, until, model.
-- Returns 1, or 0 where the partition was not read to the first offset: then nothing was changed.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
local now = tonumber(ARGV[4])

local function isOf(identity, fingerprint)
  return identity == fingerprint or string.sub(identity, 1, #fingerprint + 1) == fingerprint .. '-'
end

local function suppress(fingerprint, said)
  local before = redis.call('HGET', KEYS[4], fingerprint)
  before = before and cjson.decode(before)
  local goesOn = before and before.model == said.model and (not before['until'] or before['until'] > now)
  said.appliedAt = goesOn and before.appliedAt or now
  redis.call('HSET', KEYS[4], fingerprint, cjson.encode(said))
  for _, identity in ipairs(redis.call('ZRANGE', KEYS[6], 0, -1)) do
    if isOf(identity, fingerprint) then redis.call('ZREM', KEYS[6], identity) end
  end
end

for _, one in ipairs(cjson.decode(ARGV[5])) do
  for name, rest in pairs(take(KEYS[2], KEYS[3], one)) do
    local fingerprint = cjson.decode(rest).fingerprint
    local holds = falseAlarm(KEYS[2], KEYS[3], name)
    if holds then
      suppress(fingerprint, cjson.decode(holds))
    else
      redis.call('HDEL', KEYS[4], fingerprint)
      redis.call('HDEL', KEYS[5], fingerprint)
    end
  end
end
return 1
