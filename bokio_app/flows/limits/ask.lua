-- Take a slot, a place in the pace and an address for one call, or say how long to wait.
-- KEYS: slots pace urgent known probe block path booked tail.  Times are microseconds of this server.
-- ARGV: token who limit window lasts urgent burst grace patience probing next_look horizon address? late spacing
-- Returns {1, now} or {0, wait, reason}.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local token, who = ARGV[1], ARGV[2]
local limit, window, lasts = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local urgent, burst, grace = ARGV[6] == '1', tonumber(ARGV[7]), tonumber(ARGV[8])
local patience, probing, next_look = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local horizon, writes, late = tonumber(ARGV[12]), ARGV[13] == '1', tonumber(ARGV[14])
local spacing = tonumber(ARGV[15])
local interval = math.floor(window / limit)

-- Asked again, because the answer was lost on its way: it is granted already.
if redis.call('ZSCORE', KEYS[1], token) then return {1, string.format('%.0f', now)} end

local function text(number) return string.format('%.0f', number) end
local function milliseconds(number) return text(math.max(math.ceil(number / 1000), 1)) end
local function left(key) return redis.call('PTTL', key) * 1000 end

if left(KEYS[6]) > 0 then return {0, left(KEYS[6]), 'rate'} end

if writes and left(KEYS[7]) > 0 and redis.call('GET', KEYS[7]) ~= token then
  local rest = left(KEYS[7])
  -- A holder that has just come is soon gone; one that stays is asked after less and less often.
  return {0, math.min(math.max(lasts - rest, next_look), rest), 'path'}
end

local known = redis.call('EXISTS', KEYS[4]) == 1
if not known and left(KEYS[5]) > 0 then
  return {0, math.min(left(KEYS[5]), probing), 'rate'}
end

local function book(moment)
  local kept = milliseconds(horizon + patience + window)
  redis.call('ZADD', KEYS[8], text(moment), who)
  redis.call('PEXPIRE', KEYS[8], kept)
  redis.call('SET', KEYS[9], text(moment), 'PX', kept)
end

-- Where slots are scarce, calls in a bunch would free theirs in a bunch a window later, and leave
-- a click that comes between two bunches without one: so moments are booked some way apart.
local function apart(moment)
  return math.max(moment, tonumber(redis.call('GET', KEYS[9]) or '0') + spacing)
end
local function used_now() return redis.call('ZCOUNT', KEYS[1], '(' .. text(now), '+inf') end

-- Each paced asker has a moment of its own, so that nobody else wakes up for it in vain.
local mine = now
if not urgent then
  -- Who comes late has waited its time: it goes before those who were given later moments.
  redis.call('ZREMRANGEBYSCORE', KEYS[8], '-inf', text(now - window))
  local booked = redis.call('ZSCORE', KEYS[8], who)
  if booked then
    mine = tonumber(booked)
  else
    local due = tonumber(redis.call('GET', KEYS[2]) or '0')
    mine = math.max(now, due - (burst - 1) * interval)
    if used_now() * 2 >= limit then mine = apart(mine) end
    if mine - now > horizon then return {0, mine - now, 'rate'} end
    redis.call('SET', KEYS[2], text(math.max(due, now) + interval), 'PX', milliseconds(window * 2))
    book(mine)
  end
  if mine > now then return {0, mine - now, 'rate'} end
end

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - grace))
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', text(now))
local used = used_now()
local room = limit
if not urgent then room = limit - redis.call('ZCARD', KEYS[3]) end
if used >= room then
  local function freed(place)
    return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(now), '+inf',
      'WITHSCORES', 'LIMIT', place, 1)[2]
  end
  local moment = freed(used - room)
  if moment and not urgent then  -- behind those who have been told to come then, or later
    moment = freed(used - room + redis.call('ZCOUNT', KEYS[8], moment, '+inf')) or moment
  end
  if moment and not urgent then moment = apart(moment) end
  local wait = interval
  if moment then wait = math.max(moment - now, 1) end
  if urgent then
    redis.call('ZADD', KEYS[3], text(now + wait + patience), who)
    redis.call('PEXPIRE', KEYS[3], milliseconds(wait + patience + window))
  elseif wait > horizon then
    redis.call('ZREM', KEYS[8], who)
  else
    book(now + wait)
  end
  return {0, wait, 'rate'}
end

redis.call('ZADD', KEYS[1], text(now + lasts + late + window), token)
redis.call('PEXPIRE', KEYS[1], milliseconds(lasts + late + window + grace))
redis.call('ZREM', urgent and KEYS[3] or KEYS[8], who)
if writes then redis.call('SET', KEYS[7], token, 'PX', milliseconds(lasts)) end
if not known then redis.call('SET', KEYS[5], token, 'PX', milliseconds(lasts)) end
return {1, text(now)}
