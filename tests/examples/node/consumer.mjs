// Follow the USD/JPY signals from Node: one line a signal on standard output, all else on standard error.
//
//   cd tests/examples/node && npm ci --ignore-scripts
//   node consumer.mjs                        # what comes from now on
//   node consumer.mjs --from 0               # the whole log
//   node consumer.mjs --from 1770942363120-0 # what came after the last line seen: nothing lost, nothing twice
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createClient } from "redis";

const CHANNEL = "signals.usdjpy";
const LOG = "signals:{usdjpy}:log"; // the braces belong to the key

const { values: given } = parseArgs({
  options: {
    url: { type: "string", default: "redis://127.0.0.1:6379" },
    from: { type: "string", default: "new" },
    count: { type: "string", default: "Infinity" }, // end after so many signals
    "deadline-s": { type: "string", default: "15" }, // so long without a heartbeat is silence
  },
});

const note = (...words) => console.error("#", ...words);
const connect = () =>
  createClient({ url: given.url, socket: { reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, 5000) } })
    .on("error", (fault) => note("connection:", fault.code ?? fault.message))
    .connect();

function read(message) {
  try {
    return JSON.parse(message);
  } catch {
    note("unreadable message"); // a bad message costs only itself
    return {};
  }
}

// What is the next message: new, a repeat, or new after a gap? `seq` rises by one within an `epoch`.
const lastSeq = new Map();
function isNew({ epoch, seq }) {
  const expected = lastSeq.has(epoch) ? lastSeq.get(epoch) + 1 : lastSeq.size ? 1 : seq;
  if (!(seq >= expected)) return false;
  if (seq > expected) note(`gap: ${expected} to ${seq - 1} of ${epoch} cannot be had - stand aside`);
  lastSeq.set(epoch, seq);
  return true;
}

const before = (a, b) => {
  const [[aMs, aNo], [bMs, bNo]] = [a, b].map((id) => id.split("-").map(Number));
  return aMs < bMs || (aMs === bMs && aNo < bNo);
};
const topOf = async (client) => (await client.xRevRange(LOG, "+", "-", { COUNT: 1 }))[0];

async function begin(client) {
  if (given.from === "0") return "0-0";
  const [entry] = given.from === "new" ? [await topOf(client)] : await client.xRange(LOG, given.from, given.from);
  if (entry) isNew(read(entry.message.event)); // so that a gap right after it is seen
  return entry?.id ?? (given.from === "new" ? "0-0" : given.from);
}

async function* follow(client) {
  let last = null;
  for (;;) {
    try {
      last ??= await begin(client);
      const answer = await client.xRead({ key: LOG, id: last }, { BLOCK: 1000, COUNT: 200 });
      for (const { id, message } of answer?.[0]?.messages ?? []) {
        yield { id, event: read(message.event) };
        last = id;
      }
      const top = answer ? null : await topOf(client);
      if (top && before(top.id, last)) last = "0-0"; // the server was wiped: another log; repeats are told by seq
    } catch (fault) {
      note("reading:", fault.message); // the client connects anew by itself; go on behind the last entry
      await pause(200);
    }
  }
}

function show(id, { type, seq, data }) {
  if (type === "signals.retraction.v1") note("retracted:", data.signal_id, data.reason);
  if (type !== "signals.headline.v1") return 0; // types made after this code are skipped, though they count
  if (Date.parse(data.valid_until) <= Date.now()) return note(`expired: ${seq}`) ?? 0;
  const price = data.stale ? "stale" : data.ref_price;
  console.log(id, seq, data.direction, data.strength, price, data.title.replace(/\s+/g, " "));
  return 1;
}

let heardAt = Date.now();
function hear(message) {
  const { type, data } = read(message);
  if (type !== "signals.heartbeat.v1") return; // all else is in the log, too
  const down = data.sources.filter(({ state }) => state === "down").map(({ id }) => id);
  note(`heartbeat: seq ${data.last_seq}`, down.length ? `down: ${down.join(", ")}` : "");
  heardAt = Date.now();
}

const [log, pulse] = [await connect(), await connect()]; // a connection that blocks hears nothing
await pulse.subscribe(CHANNEL, hear);
const deadlineMs = 1000 * Number(given["deadline-s"]);
const watch = setInterval(() => {
  if (Date.now() - heardAt <= deadlineMs) return;
  note("silence: the publisher is down or cannot be reached - stand aside");
  heardAt = Infinity; // told once, until a heartbeat comes
}, Math.min(1000, deadlineMs));

let shown = 0;
for await (const { id, event } of follow(log)) {
  if (isNew(event)) shown += show(id, event);
  if (shown >= Number(given.count)) break;
}
clearInterval(watch);
log.destroy();
pulse.destroy();
