-- What holds of what people said: index-say and feedback-apply begin with this.
-- said: hash, id of a verdict to 'when (ms)', a space, its place or -, a space and the rest as JSON. sayings: sorted set without
-- scores, of what is not undone: name:when:id, with the name of a fingerprint in its pipeline.

-- Takes in what was said of a verdict (id, at, name, place or -, rest), unless something newer is held. Returns the names of which
-- something else may hold now, each with something that was said of it.
local function take(said, sayings, one)
  local at, place, rest = string.match(redis.call('HGET', said, one.id) or '', '^(%d+) (%S+) (.*)$')
  if at and tonumber(at) > one.at then return {} end
  local names = { [one.name] = one.rest }
  if place and place ~= '-' then
    redis.call('ZREM', sayings, place)
    names[string.match(place, '^[^:]*')] = rest
  end
  redis.call('HSET', said, one.id, string.format('%.0f ', one.at) .. one.place .. ' ' .. one.rest)
  if one.place ~= '-' then redis.call('ZADD', sayings, 0, one.place) end
  return names
end

-- What was said last of a fingerprint, as JSON, where that is a false alarm.
local function falseAlarm(said, sayings, name)
  local last = redis.call('ZREVRANGEBYLEX', sayings, '(' .. name .. '::', '[' .. name .. ':', 'LIMIT', 0, 1)[1]
  local rest = last and string.match(redis.call('HGET', said, string.match(last, '[^:]*$')) or '', '{.*')
  return rest and cjson.decode(rest).judgement == 'false-alarm' and rest or nil
end
