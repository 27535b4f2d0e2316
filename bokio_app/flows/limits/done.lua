-- Free what the permit of a finished call holds.
-- KEYS: slots pace urgent known probe block path booked tail.  Times are microseconds of this server.
-- ARGV: token limit window grace lasts sent answered remaining(-1: untold) granted_at writes keep late
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local token, limit, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local grace, lasts = tonumber(ARGV[4]), tonumber(ARGV[5])
local sent, answered, remaining = ARGV[6] == '1', ARGV[7] == '1', tonumber(ARGV[8])
local granted_at, writes, keep = tonumber(ARGV[9]), ARGV[10] == '1', tonumber(ARGV[11])
local late = tonumber(ARGV[12])

local function text(number) return string.format('%.0f', number) end
local function milliseconds(number) return text(math.max(math.ceil(number / 1000), 1)) end

if not sent then
  redis.call('ZREM', KEYS[1], token)
elseif answered then
  redis.call('ZADD', KEYS[1], text(now + window), token)
else
  redis.call('ZADD', KEYS[1], text(granted_at + lasts + late + window), token)
end

-- A request without an answer may still be at work: its address stays taken to its deadline.
if writes and (answered or not sent) and redis.call('GET', KEYS[7]) == token then
  redis.call('DEL', KEYS[7])
end

local probed = redis.call('GET', KEYS[5]) == token
if probed then
  redis.call('DEL', KEYS[5])
  if answered then redis.call('SET', KEYS[4], '1', 'PX', milliseconds(keep)) end
end

-- Whatever the server counted when it answered was live at some moment since the grant.
if answered and remaining >= 0 and (probed or now - granted_at < grace) then
  local counted = redis.call('ZCOUNT', KEYS[1], '(' .. text(granted_at), '+inf')
  for filler = 1, limit - remaining - counted do
    redis.call('ZADD', KEYS[1], text(now + window), token .. ':' .. filler)
  end
end
redis.call('PEXPIRE', KEYS[1], milliseconds(lasts + late + window + grace))
return 1
