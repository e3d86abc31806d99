"""What the Redis login store has the server do: one script for each method, atomic, one round trip.

Every script reads before it writes, and its first write is one that a full, read-only or broken
server refuses; so a script that ends in an error has changed nothing. Redis 6.2 or later, Valkey.

Keys of a call, all under one hash tag, so that one server (later: one slot) holds them:

    {schuilnaam}:epoch                      replication id, random id, start in ms, blanks between
    {schuilnaam}:write                      written by ADOPT, to see that the server takes writes
    {schuilnaam}:keys:<issuer>              of which keys its brokers are (`redis_mark`)
    {schuilnaam}:keys:<issuer>:<letter>     the same of each pairwise key
    {schuilnaam}:<random id>:<locator>      a record's sealed bytes, or nothing for a tombstone

A sealed record has at least one byte (`login_store.Put`), so nothing else is equal to a tombstone.

**Epochs.** A store may lose what it was told: it is flushed, a lagging replica takes over, it
restarts from an old file. Lost records only cost a login its second half. Lost tombstones would
allow a second use, and records that come back would be handles honoured twice. So everything
belongs to an epoch, and an epoch to one unbroken history of data: the server's `master_replid`
changes when it starts, when it is promoted and when it follows another server, and a flush removes
the key. Each script compares both first, in the same step as its work. Where they differ it does
nothing and answers `stale`; the worker then adopts the epoch that is there or begins one. Record
and tombstone keys hold the epoch's random id: what an earlier epoch wrote is never found again,
also when it comes back. (The id changes as well when a server gets its first replica, or an hour
after it lost its last one; that costs the logins under way at that moment, and no more.)

**Claims** of an earlier epoch are forgotten, so a one-shot value might be shown again. A put
therefore refuses (`old`) a claim of a value that may have been made before the epoch began, by
`Claim.made_within_milliseconds`. A take needs no such rule: the record that it finds was issued in
this epoch, so handle and value together were never accepted before.
"""

import hashlib
from dataclasses import dataclass, field

STALE, ABSENT, TAKEN, CLAIMED, OLD, UNREADABLE, OTHERS, DONE = (
    b"stale", b"absent", b"taken", b"claimed", b"old", b"unreadable", b"others", b"done"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the hash by which the server knows it."""

    text: str = field(repr=False)
    sha1: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False)  # Redis names them so
        object.__setattr__(self, "sha1", digest.hexdigest())


ADOPT = Script("""
-- KEYS: epoch, write, and of who has keys the mark and one for each pairwise key. ARGV: a random id
-- for a new epoch; with a mark its ms, 0 to leave it alone, our lasting keys, our sealing key, each
-- pairwise key, then each storage key we know.
-- Answers the epoch in force, or which keys a broker of this issuer has that we do not have.
local info = redis.call('INFO', 'replication')
if not string.find(info, 'role:master', 1, true) then
  return redis.error_reply('READONLY a replica, even one that takes writes')
end
if KEYS[3] then
  local lasting, sealing = string.match(redis.call('GET', KEYS[3]) or '', '^(%x+) (%x+)$')
  if lasting and lasting ~= ARGV[3] then return {'others', 'lasting'} end
  for i = 4, #KEYS do
    local pairwise = string.match(redis.call('GET', KEYS[i]) or '', '^%x+$')
    if pairwise and pairwise ~= ARGV[i + 1] then return {'others', 'pairwise'} end
  end
  local known = not sealing
  for i = #KEYS + 2, #ARGV do known = known or ARGV[i] == sealing end
  if not known then return {'others', 'storage'} end
end
local replication_id = string.match(info, 'master_replid:(%x+)')
local epoch = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[2], '', 'PX', 60000)
if KEYS[3] and ARGV[2] ~= '0' then
  redis.call('SET', KEYS[3], ARGV[3] .. ' ' .. ARGV[4], 'PX', ARGV[2])
  for i = 4, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1], 'PX', ARGV[2]) end
end
if epoch and string.match(epoch, '^' .. replication_id .. ' %x+ %d+$') and #epoch < 128 then
  return {'done', epoch}
end
local time = redis.call('TIME')
epoch = replication_id .. ' ' .. ARGV[1] .. ' ' .. time[1] .. string.format('%03d', time[2] / 1000)
redis.call('SET', KEYS[1], epoch)
return {'done', epoch}
""")

_IN_THIS_EPOCH = """
-- KEYS[1]: epoch. ARGV[1]: the epoch that the worker knows; ARGV[2]: its line of INFO.
if redis.call('GET', KEYS[1]) ~= ARGV[1]
    or not string.find(redis.call('INFO', 'replication'), ARGV[2], 1, true) then
  return {'stale'}
end
"""

GET = Script(
    _IN_THIS_EPOCH
    + """
-- KEYS[2]: record. ARGV[3]: most bytes of one.
local sealed = redis.call('GET', KEYS[2])
if not sealed or sealed == '' then return {'absent'} end
if #sealed > tonumber(ARGV[3]) then return {'unreadable'} end
return {'done', sealed}
"""
)

GET_ALL = Script(
    _IN_THIS_EPOCH
    + """
-- KEYS: epoch, records. ARGV[3]: most bytes of one. Answers each, or nothing where none is there.
local found = {'done'}
for i = 2, #KEYS do
  local sealed = redis.call('GET', KEYS[i]) or ''
  if #sealed > tonumber(ARGV[3]) then return {'unreadable'} end
  found[i] = sealed
end
return found
"""
)

TAKE = Script(
    _IN_THIS_EPOCH
    + """
-- KEYS: epoch, record, claims. ARGV[3]: most bytes; ARGV[4]: the tombstone's ms; then each claim's.
local sealed = redis.call('GET', KEYS[2])
if sealed and #sealed > tonumber(ARGV[3]) then return {'unreadable'} end
local free, claimed = {}, nil
for i = 3, #KEYS do
  free[i] = redis.call('EXISTS', KEYS[i]) == 0
  if not free[i] and not claimed then claimed = i - 3 end
end
for i = 3, #KEYS do
  if free[i] then redis.call('SET', KEYS[i], '', 'PX', ARGV[i + 2]) end
end
if sealed == '' then return {'taken'} end
if sealed then redis.call('SET', KEYS[2], '', 'PX', ARGV[4]) end
if claimed then return {'claimed', claimed} end
if not sealed then return {'absent'} end
return {'done', sealed}
"""
)

PUT = Script(
    _IN_THIS_EPOCH
    + """
-- KEYS: epoch, claims, records. ARGV[3]: number of claims; then for each claim its ms and how many
-- ms ago its value may have been made; then for each record its bytes and ms.
local claims = tonumber(ARGV[3])
for i = 1, claims do
  if redis.call('EXISTS', KEYS[1 + i]) == 1 then return {'claimed', i - 1} end
end
for i = 2 + claims, #KEYS do
  if redis.call('GET', KEYS[i]) == '' then return {'taken'} end
end
if claims > 0 then
  local time = redis.call('TIME')
  local age = time[1] * 1000 + time[2] / 1000 - tonumber(string.match(ARGV[1], '%d+$'))
  for i = 1, claims do
    if tonumber(ARGV[3 + 2 * i]) > age then return {'old'} end
  end
end
for i = 1, claims do
  redis.call('SET', KEYS[1 + i], '', 'PX', ARGV[2 + 2 * i])
end
for i = 2 + claims, #KEYS do
  redis.call('SET', KEYS[i], ARGV[2 * i], 'PX', ARGV[2 * i + 1])
end
return {'done'}
"""
)

DELETE = Script(
    _IN_THIS_EPOCH
    + """
-- KEYS: epoch, records. ARGV[3]: the tombstones' ms. One that lasts longer stays as it is.
local longer = {}
for i = 2, #KEYS do
  longer[i] = redis.call('GET', KEYS[i]) == '' and redis.call('PTTL', KEYS[i]) > tonumber(ARGV[3])
end
for i = 2, #KEYS do
  if not longer[i] then redis.call('SET', KEYS[i], '', 'PX', ARGV[3]) end
end
return {'done'}
"""
)
