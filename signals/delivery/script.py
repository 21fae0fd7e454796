"""The one atomic step on the server by which messages are sent: one, or a short run of them.

Either all of it happens or nothing: the only command of the script that may fail is its first write
(memory, a read-only replica, a full disk are tested by the server before it, rights to what follows by the script).
"""

PUBLISH = """\
local call, events = redis.call, 9
local first, count, skip, token = tonumber(ARGV[3]), tonumber(ARGV[8]), 0, tonumber(ARGV[9])
local led = token > 0 and (tonumber(call('GET', KEYS[5]) or '') or 0) or token
if led > token then return {'fenced', led} end
local function table_of(text)
  local readable, value = pcall(cjson.decode, text)
  return readable and type(value) == 'table' and value or {}
end
local known = call('GET', KEYS[4])
local state = known == ARGV[4] and {epoch = ARGV[2], seq = first - 1} or known and table_of(known)
if state and (type(state.epoch) ~= 'string' or type(state.seq) ~= 'number') then return {'foreign', 0} end
if state and state.epoch == ARGV[2] then
  if first > state.seq + 1 then return {'behind', state.seq} end
  skip = state.seq + 1 - first
  if skip >= count then return {'sent', 0} end
elseif ARGV[7] ~= '1' then
  return {'empty', 0}
end
local now_ms
local function is_over(until_ms)
  if not now_ms then
    local clock = {0, 0}
    if not redis.acl_check_cmd or redis.acl_check_cmd('TIME') then clock = call('TIME') end
    now_ms = clock[1] * 1000 + clock[2] / 1000
  end
  return tonumber(until_ms) <= now_ms
end
local standing, ends = {}, {}
for at = events + count + 1, #ARGV, 3 do
  local number, place, word = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2]
  if number > skip and place > 0 then
    if not is_over(word) then standing[place], ends[place] = number, word end
  elseif number > skip then
    local latest = standing[2] and ARGV[events + standing[2]] or call('GET', KEYS[2])
    local data = standing[2] ~= 0 and table_of(latest or '').data
    if type(data) == 'table' and data.signal_id == word then standing[2] = 0 end
  end
end
local may = redis.acl_check_cmd or function() return true end
local settable = may('SET', KEYS[4], '') and (led == token or may('SET', KEYS[5], ''))
local denied = not settable and 'SET' or not may('PUBLISH', ARGV[1], '') and 'PUBLISH'
for place, number in pairs(standing) do
  if number == 0 then
    denied = denied or not may('DEL', KEYS[place]) and 'DEL'
  else
    denied = denied or not may('SET', KEYS[place], '') and 'SET'
  end
end
if denied then return redis.error_reply('NOPERM this user may not ' .. denied) end
for at = events + skip + 1, events + count do
  call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[6], '*', 'event', ARGV[at])
end
for place, number in pairs(standing) do
  if number == 0 then
    call('DEL', KEYS[place])
  else
    call('SET', KEYS[place], ARGV[events + number], 'PXAT', ends[place])
  end
end
call('SET', KEYS[4], ARGV[5])
if led < token then call('SET', KEYS[5], ARGV[9]) end
for at = events + skip + 1, events + count do call('PUBLISH', ARGV[1], ARGV[at]) end
return {'sent', count - skip}
"""
"""KEYS: log, latest, index, seq, leader.

ARGV: channel, epoch, `seq` of the first message, the states before it and after the last, most entries of the log,
restart, number of messages, the sender's fencing token (0: it has none, and is not fenced); the messages; then three
words for each that has to do with a snapshot key: its number, the place of its key in KEYS and until when it may stand
there (Unix ms), or 0 and the signal that it takes back.

What is over by the server's clock is not set; a server that keeps that from its user (TIME) leaves it to `now` of the
publisher, and PXAT ends what stands there in any case.

Answers: fenced (by which token), sent (how many were no repeats), behind (with the last `seq`), empty (no state, or
another epoch), foreign (not our state).
"""

BEAT = """\
local led, token = tonumber(redis.call('GET', KEYS[1]) or '') or 0, tonumber(ARGV[1])
if led > token then return {'fenced', led} end
if led < token then redis.pcall('SET', KEYS[1], ARGV[1]) end
return {'sent', redis.call('PUBLISH', ARGV[2], ARGV[3])}
"""
"""A heartbeat of who leads. KEYS: leader. ARGV: fencing token, channel, message.

A server whose disk is full takes no token, and gives the message on all the same. Answers: fenced (by which token),
sent (to how many).
"""
