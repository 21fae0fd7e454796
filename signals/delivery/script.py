"""The one atomic step on the server by which a message is sent.

Either all of it happens or nothing: the only command of the script that may fail is its first write
(memory, a read-only replica, a full disk are tested by the server before it, rights by the script).
"""

PUBLISH = """\
-- KEYS: log, snapshot, seq, latest
-- ARGV: channel, event, epoch, seq, state, maxlen, ttl_ms, restart, retracted
local known = redis.call('GET', KEYS[3])
local seq = tonumber(ARGV[4])
local state
if known then
  local readable, value = pcall(cjson.decode, known)
  if not readable or type(value) ~= 'table' or type(value.epoch) ~= 'string' or type(value.seq) ~= 'number' then
    return {'foreign', 0}
  end
  state = value
end
if state and state.epoch == ARGV[3] then
  if seq <= state.seq then return {'repeat', state.seq} end
  if seq > state.seq + 1 then return {'behind', state.seq} end
elseif ARGV[8] ~= '1' then
  return {'empty', 0}
end
local writes = {
  {'XADD', KEYS[1], 'MAXLEN', '~', ARGV[6], '*', 'event', ARGV[2]},
  {'SET', KEYS[3], ARGV[5]},
  {'PUBLISH', ARGV[1], ARGV[2]},
}
if tonumber(ARGV[7]) > 0 then
  table.insert(writes, 3, {'SET', KEYS[2], ARGV[2], 'PX', ARGV[7]})
end
if ARGV[9] ~= '' then
  local latest = redis.call('GET', KEYS[4])
  local readable, message = pcall(cjson.decode, latest or '')
  local stands = readable and type(message) == 'table' and type(message.data) == 'table' and message.data.signal_id
  if stands == ARGV[9] then table.insert(writes, 3, {'DEL', KEYS[4]}) end
end
if redis.acl_check_cmd then
  for _, write in ipairs(writes) do
    if not redis.acl_check_cmd(unpack(write)) then
      return redis.error_reply('NOPERM this user may not ' .. write[1])
    end
  end
end
for _, write in ipairs(writes) do redis.call(unpack(write)) end
return {'sent', seq}
"""
"""`retracted`: the signal that the message takes back, if any; it leaves the latest key if it stands there.

Answers: sent, repeat, behind (with the last `seq`), empty (no state, or another epoch), foreign (not our state).
"""
