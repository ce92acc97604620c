-- Takes an anomalous window in.
-- KEYS: 1 alerts (hash: identity, or `identity replaced`, to ActiveAlert as JSON), 2 ids of the identity's windows (sorted by when they came),
-- 3 what those may yet say (hash: id to annotations): of each window that is open, and of the newest that is not; not read
-- once the spell is over, 4 the identity that the window was raised with early, or - once that is over, 5 identities that are
-- told one by one or held back (sorted by when they end), 6 storm (hash: openedAt, endedAt), 7 suppressions by fingerprint, 8
-- what they kept quiet (hash: fingerprint to `times lastSeen`).
-- ARGV: 1 SeenWindow as JSON, 2 now (ms), 3 hold (ms), 4 how long ids are known (ms), 5 how many of them, 6 how many
-- annotations are kept, 7 how many alerts are told one by one.
-- Returns: whether it is suppressed, whether a storm begins with it, and the alerts to tell of: its own, and a less severe one
-- that this replaced. A window that was taken in before changes nothing, be its spell over or not, unless it is confirmed:
-- then its annotations are the newer, and the spell is held from now on.
local window, now, holdMs = cjson.decode(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local id, identity, stage = window.id, window.identity, window.stage

local suppression = redis.call('HGET', KEYS[7], window.fingerprint)
suppression = suppression and cjson.decode(suppression)
local isSuppressed = suppression and suppression.model == window.model
  and (not suppression['until'] or now < suppression['until'])

local function answer(isStorm)
  local told = { isSuppressed and 1 or 0, isStorm and 1 or 0 }
  for _, field in ipairs({ identity, identity .. ' replaced' }) do
    local alert = redis.call('HGET', KEYS[1], field)
    if alert then told[#told + 1] = alert end
  end
  return told
end

if stage == 'raised' and redis.call('GET', KEYS[4]) == '-' then return answer() end
local isNew = redis.call('ZADD', KEYS[2], 'NX', now, id) == 1
if stage == 'raised' then
  redis.call('SET', KEYS[4], identity, 'PX', ARGV[4])
elseif stage == 'confirmed' then
  redis.call('SET', KEYS[4], '-', 'PX', ARGV[4])
end
if not isNew and stage ~= 'confirmed' then return answer() end
redis.call('ZADD', KEYS[2], now, id)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.0f', now - tonumber(ARGV[4])))
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[5]))

-- A closed window is never withdrawn: what older ones said is not asked for again.
if stage ~= 'raised' then redis.call('DEL', KEYS[3]) end
redis.call('HSET', KEYS[3], id, cjson.encode(window.annotations))
if redis.call('HLEN', KEYS[3]) > tonumber(ARGV[6]) then
  local oldest, its
  for _, one in ipairs(redis.call('HKEYS', KEYS[3])) do
    local came = tonumber(redis.call('ZSCORE', KEYS[2], one) or 0)
    if not its or came < its then oldest, its = one, came end
  end
  redis.call('HDEL', KEYS[3], oldest)
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('PEXPIRE', KEYS[3], 2 * holdMs)

local goesOn = redis.call('HEXISTS', KEYS[6], 'openedAt') == 1 and redis.call('HEXISTS', KEYS[6], 'endedAt') == 0
local isStorm = false
local alert = redis.call('HGET', KEYS[1], identity)
alert = alert and cjson.decode(alert)
-- Whoever ended the storm may have taken it for one that had ended.
if alert and not goesOn then alert.isHeldBack = false end
if not alert or alert.isOver or alert.endsAt < now then
  -- Its labels may be those of this one: its end would be told as the end of this one.
  redis.call('HDEL', KEYS[1], identity .. ' replaced')
  alert = { identity = identity, fingerprint = window.fingerprint, openedAt = now, firstSeen = now, times = 0 }
  alert.labels, alert.rank, alert.isOver, alert.isHeldBack = window.labels, window.rank, false, false
  if not isSuppressed then
    redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', '(' .. ARGV[2])
    isStorm = not goesOn and redis.call('ZCARD', KEYS[5]) >= tonumber(ARGV[7])
    if isStorm then
      redis.call('DEL', KEYS[6])
      redis.call('HSET', KEYS[6], 'openedAt', ARGV[2])
    end
    alert.isHeldBack = goesOn or isStorm
  end
elseif window.rank > alert.rank then
  -- Its severity is a label: another one is another alert.
  if not alert.isHeldBack then
    -- Clocks of alerters differ: nothing ends before it began.
    alert.isReplaced, alert.isOver, alert.endsAt = true, true, math.max(now, alert.openedAt)
    redis.call('HSET', KEYS[1], identity .. ' replaced', cjson.encode(alert))
    alert.isReplaced, alert.isOver = nil, false
  end
  -- Not when the other one was: that and the identity name it.
  alert.openedAt = math.max(now, alert.openedAt + 1)
  alert.labels, alert.rank = window.labels, window.rank
end
if isNew or alert.times == 0 then alert.times = alert.times + 1 end
alert.lastSeen, alert.endsAt = now, now + holdMs
alert.model, alert.annotations = window.model, window.annotations
redis.call('HSET', KEYS[1], identity, cjson.encode(alert))

if isSuppressed then
  redis.call('ZREM', KEYS[5], identity)
  if isNew then
    local times = string.match(redis.call('HGET', KEYS[8], window.fingerprint) or '', '^%d+') or '0'
    redis.call('HSET', KEYS[8], window.fingerprint, string.format('%.0f %.0f', tonumber(times) + 1, now))
  end
else
  redis.call('ZADD', KEYS[5], alert.endsAt, identity)
end
return answer(isStorm)
