-- Take a slot, a place in the pace and an address for one call, or say how long to wait.
-- KEYS: slots pace urgent known probe block path.  All times are microseconds of this server.
-- ARGV: token who limit window lasts urgent burst grace patience probing next_look address?
-- Returns {1, now} or {0, wait, reason}.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local token, who = ARGV[1], ARGV[2]
local limit, window, lasts = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local urgent, burst, grace = ARGV[6] == '1', tonumber(ARGV[7]), tonumber(ARGV[8])
local patience, probing, next_look = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local writes = ARGV[12] == '1'
local interval = math.floor(window / limit)

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

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - grace))
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', text(now))
local used = redis.call('ZCOUNT', KEYS[1], '(' .. text(now), '+inf')
local room = limit
if not urgent then room = limit - redis.call('ZCARD', KEYS[3]) end
if used >= room then
  local free = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(now), '+inf',
    'WITHSCORES', 'LIMIT', used - room, 1)
  local wait = interval
  if free[2] then wait = math.max(free[2] - now, 1) end
  if urgent then
    redis.call('ZADD', KEYS[3], text(now + wait + patience), who)
    redis.call('PEXPIRE', KEYS[3], milliseconds(wait + patience + window))
  end
  return {0, wait, 'rate'}
end

if not urgent then
  local due = tonumber(redis.call('GET', KEYS[2]) or '0')
  local early = due - (burst - 1) * interval - now
  if early > 0 then return {0, early, 'rate'} end
  redis.call('SET', KEYS[2], text(math.max(due, now) + interval), 'PX', milliseconds(window * 2))
end

redis.call('ZADD', KEYS[1], text(now + lasts + window), token)
redis.call('PEXPIRE', KEYS[1], milliseconds(lasts + window + grace))
redis.call('ZREM', KEYS[3], who)
if writes then redis.call('SET', KEYS[7], token, 'PX', milliseconds(lasts)) end
if not known then redis.call('SET', KEYS[5], token, 'PX', milliseconds(lasts)) end
return {1, text(now)}
