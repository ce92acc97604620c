-- Takes in what people said of fingerprints between two offsets of a partition of the feedback topic.
-- KEYS: 1 where each partition was read to, 2 what was said (hash: fingerprint to JSON, id to what was said of that verdict), 3
-- suppressions (hash: fingerprint to JSON), 4 what they kept quiet, 5 identities that are told (see alert-seen).
-- ARGV: 1 partition, 2 and 3 the offsets, 4 now (ms), 5 what was said, in order, as JSON: fingerprint, id, judgement, at, by, note,
-- until, model.
-- Returns 1, or 0 where the partition was not read to the first offset: then nothing was changed.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
local now = tonumber(ARGV[4])

local function isOf(identity, fingerprint)
  return identity == fingerprint or string.sub(identity, 1, #fingerprint + 1) == fingerprint .. '-'
end

local function newestOf(said)
  local newest
  for _, one in pairs(said) do
    if not newest or one.at > newest.at or (one.at == newest.at and one.id > newest.id) then newest = one end
  end
  return newest
end

for _, one in ipairs(cjson.decode(ARGV[5])) do
  local said = cjson.decode(redis.call('HGET', KEYS[2], one.fingerprint) or '{}')
  said[one.id] = one.judgement ~= 'undone' and one or nil
  local newest = newestOf(said)
  if newest then
    redis.call('HSET', KEYS[2], one.fingerprint, cjson.encode(said))
  else
    redis.call('HDEL', KEYS[2], one.fingerprint)
  end
  if newest and newest.judgement == 'false-alarm' then
    local before = redis.call('HGET', KEYS[3], one.fingerprint)
    before = before and cjson.decode(before)
    local goesOn = before and before.model == newest.model and (not before['until'] or before['until'] > now)
    newest.appliedAt = goesOn and before.appliedAt or now
    redis.call('HSET', KEYS[3], one.fingerprint, cjson.encode(newest))
    for _, identity in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
      if isOf(identity, one.fingerprint) then redis.call('ZREM', KEYS[5], identity) end
    end
  else
    redis.call('HDEL', KEYS[3], one.fingerprint)
    redis.call('HDEL', KEYS[4], one.fingerprint)
  end
end
return 1
