-- Takes in what people said of fingerprints between two offsets of a partition of the feedback topic.
-- KEYS: 1 where each partition was read to, 2 what was said (hash: fingerprint to JSON, id to what was said of that verdict), 3
-- suppressions (hash: fingerprint to JSON), 4 what they kept quiet, 5 identities that are told (see alert-seen), 6 of which
-- fingerprint each verdict was when something was said of it last (hash: id to `at fingerprint`).
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

-- What is said of a verdict with this fingerprint; nothing where that is taken back.
local function hold(fingerprint, id, one)
  local said = cjson.decode(redis.call('HGET', KEYS[2], fingerprint) or '{}')
  said[id] = one
  local newest = newestOf(said)
  if newest then
    redis.call('HSET', KEYS[2], fingerprint, cjson.encode(said))
  else
    redis.call('HDEL', KEYS[2], fingerprint)
  end
  if newest and newest.judgement == 'false-alarm' then
    local before = redis.call('HGET', KEYS[3], fingerprint)
    before = before and cjson.decode(before)
    local goesOn = before and before.model == newest.model and (not before['until'] or before['until'] > now)
    newest.appliedAt = goesOn and before.appliedAt or now
    redis.call('HSET', KEYS[3], fingerprint, cjson.encode(newest))
    for _, identity in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
      if isOf(identity, fingerprint) then redis.call('ZREM', KEYS[5], identity) end
    end
  else
    redis.call('HDEL', KEYS[3], fingerprint)
    redis.call('HDEL', KEYS[4], fingerprint)
  end
end

for _, one in ipairs(cjson.decode(ARGV[5])) do
  local at, former = string.match(redis.call('HGET', KEYS[6], one.id) or '', '^(%d+) (.*)$')
  if not at or one.at >= tonumber(at) then
    redis.call('HSET', KEYS[6], one.id, string.format('%.0f ', one.at) .. one.fingerprint)
    if former and former ~= one.fingerprint then hold(former, one.id, nil) end
    hold(one.fingerprint, one.id, one.judgement ~= 'undone' and one or nil)
  end
end
return 1
