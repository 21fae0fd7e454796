"""The one atomic step on the server by which messages are sent: one, or a short run of them.

Either all of it happens or nothing: the only command of the script that may fail is its first write
(memory, a read-only replica, a full disk are tested by the server before it, rights by the script).
"""

PUBLISH = """\
local call, events = redis.call, 7
local first, count, skip = tonumber(ARGV[3]), tonumber(ARGV[7]), 0
local function table_of(text)
  local readable, value = pcall(cjson.decode, text)
  return readable and type(value) == 'table' and value or {}
end
local known = call('GET', KEYS[4])
local state = known and table_of(known)
if state and (type(state.epoch) ~= 'string' or type(state.seq) ~= 'number') then return {'foreign', 0} end
if state and state.epoch == ARGV[2] then
  if first > state.seq + 1 then return {'behind', state.seq} end
  skip = state.seq + 1 - first
  if skip >= count then return {'sent', 0} end
elseif ARGV[6] ~= '1' then
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
local standing = {}
for at = events + count + 1, #ARGV, 3 do
  local number, place, word = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2]
  if number > skip and place > 0 then
    if not is_over(word) then standing[place] = {'SET', KEYS[place], ARGV[events + number], 'PXAT', word} end
  elseif number > skip then
    local latest = standing[2] and (standing[2][3] or '') or call('GET', KEYS[2])
    local data = table_of(latest or '').data
    if type(data) == 'table' and data.signal_id == word then standing[2] = {'DEL', KEYS[2]} end
  end
end
local writes = {{'SET', KEYS[4], ARGV[4]}}
for _, write in pairs(standing) do table.insert(writes, write) end
if redis.acl_check_cmd then
  local sends = {{'XADD', KEYS[1], '*', 'event', ''}, {'PUBLISH', ARGV[1], ''}}
  for _, group in ipairs({sends, writes}) do
    for _, write in ipairs(group) do
      if not redis.acl_check_cmd(unpack(write)) then
        return redis.error_reply('NOPERM this user may not ' .. write[1])
      end
    end
  end
end
for number = skip + 1, count do
  call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '*', 'event', ARGV[events + number])
end
for _, write in ipairs(writes) do call(unpack(write)) end
for number = skip + 1, count do call('PUBLISH', ARGV[1], ARGV[events + number]) end
return {'sent', count - skip}
"""
"""KEYS: log, latest, index, seq.

ARGV: channel, epoch, `seq` of the first message, state after the last, most entries of the log, restart, number of
messages; the messages; then three words for each that has to do with a snapshot key: its number, the place of its
key in KEYS and until when it may stand there (Unix ms), or 0 and the signal that it takes back.

What is over by the server's clock is not set; a server that keeps that from its user (TIME) leaves it to `now` of the
publisher, and PXAT ends what stands there in any case.

Answers: sent (how many were no repeats), behind (with the last `seq`), empty (no state, or another epoch), foreign (not
our state).
"""
