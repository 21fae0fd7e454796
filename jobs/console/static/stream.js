// The stream of signals: filtered, searched, a page at a time behind, live in front.

import { ask } from "./ask.js";
import { $, h, once, say } from "./dom.js";
import { LongList } from "./list.js";
import { call, detail, head, lives } from "./row.js";
import { addressed, remember } from "./address.js";

const PAGE = 500;
const KEPT = 20_000; // a page that is left open for days keeps no more
const FIELDS = ["text", "direction", "topic", "source", "strength"];

const form = $("filter");
let rows = [];
let ids = new Map(); // id → row
let replaced = new Set();
let total = 0;
let more = false;
let cursor = null; // the last row of the last page: from there the list goes on
let reading = 0; // the number of the newest question
let loading = false;
let fresh = 0;
const known = { topics: new Set(), sources: new Set() };

const list = new LongList({
  scroller: $("scroller"), holder: $("rows"), count: () => rows.length, key: (n) => rows[n].signal_id, make,
  more: () => more && !loading && older(),
});
const draw = once(() => {
  say($("count"), `${total.toLocaleString("en")}${total >= 100000 ? " or more" : ""} signals`);
  $("empty").hidden = rows.length > 0 || loading;
  $("scroller").hidden = rows.length === 0;
  $("fresh").hidden = fresh === 0;
  if (fresh) say($("fresh"), `${fresh} new above – show`);
  list.draw();
});

function make(n) {
  const row = rows[n];
  const open = row.signal_id === list.openKey;
  const made = h("li", { class: "row", data: { key: row.signal_id }, "aria-current": open ? "true" : null }, head(row, open));
  if (row.retracted_at || row.replaced) made.dataset.gone = "";
  if (open) made.append(h("div", { class: "detail", id: `d-${row.signal_id}` }, opened.get(row.signal_id) || [h("p", { class: "quiet" }, "Reading …")]));
  return made;
}

// What the filter says.
function wanted() {
  const made = new URLSearchParams();
  for (const name of FIELDS) {
    const value = form.elements[name].value.trim();
    if (value && !(name === "strength" && Number(value) === 0)) made.set(name, value);
  }
  return made;
}

/** The same question as the service answers, for what comes in live. */
function fits(row, query) {
  const direction = query.get("direction");
  return (!direction || call(row) === direction) && (!query.get("topic") || row.topics.includes(query.get("topic"))) &&
    (!query.get("source") || row.source === query.get("source")) && row.strength >= Number(query.get("strength") || 0) &&
    row.title.toLowerCase().includes((query.get("text") || "").toLowerCase());
}

/** Read the list anew. Returns from where the live part goes on. */
export async function read() {
  const query = wanted();
  const number = ++reading;
  loading = true;
  $("csv").href = `/console/api/signals.csv?${query}`;
  try {
    const told = await ask(`signals?${new URLSearchParams([...query, ["limit", "200"]])}`);
    if (number !== reading) return told.at;
    rows = [];
    ids = new Map();
    fresh = 0;
    total = told.count;
    more = told.more;
    list.clear();
    $("scroller").scrollTop = 0;
    take(told.rows);
    say($("empty"), query.size ? "No signal fits this filter." : "No signal has been told yet. `signals jobs` says whether news came.");
    return told.at;
  } catch (problem) {
    say($("empty"), problem.message);
    return null;
  } finally {
    if (number === reading) loading = false;
    draw();
  }
}

async function older() {
  loading = true;
  const number = reading;
  try {
    const query = new URLSearchParams([...wanted(), ["limit", PAGE], ["before", `${cursor.known_at},${cursor.signal_id}`]]);
    const told = await ask(`signals?${query}`);
    if (number !== reading) return;
    more = told.more;
    take(told.rows);
  } catch {
    more = true; // asked again with the next scroll
  } finally {
    loading = false;
    draw();
  }
}

function take(found) {
  cursor = found.at(-1) || cursor;
  for (const row of found) {
    if (ids.has(row.signal_id)) continue;
    if (!rows.length || follows(row, rows.at(-1))) rows.push(note(row));
    else insert(note(row)); // one that was looked up lies behind
  }
  offer();
}

/** Keep what is to be known of a row, whether it is listed or not. */
function note(row) {
  row.replaced = replaced.has(row.signal_id);
  ids.set(row.signal_id, row);
  if (row.supersedes) replace(row.supersedes);
  row.topics.forEach((one) => known.topics.add(one));
  known.sources.add(row.source);
  return row;
}

function replace(id) {
  replaced.add(id);
  const row = ids.get(id);
  if (row && !row.replaced) {
    row.replaced = true;
    list.redo(id);
  }
}

function offer() {
  const topics = $("topics");
  if (topics.children.length !== known.topics.size) topics.replaceChildren(...[...known.topics].sort().map((one) => h("option", { value: one })));
  const chosen = form.elements.source;
  if (chosen.options.length - 1 !== known.sources.size) {
    const was = chosen.value;
    if (was) known.sources.add(was);
    chosen.replaceChildren(h("option", { value: "" }, "any"), ...[...known.sources].sort().map((one) => h("option", { value: one }, one)));
    chosen.value = was;
  }
}

/** Messages of the channel, oldest first. */
export function told(messages) {
  const query = wanted();
  let came = 0;
  for (const { type, data } of messages) {
    if (type === "signals.headline.v1" && !ids.has(data.signal_id)) {
      const row = { ...data, retracted_at: null, return_bp: null };
      if (!fits(row, query)) continue;
      insert(note(row));
      total += 1;
      came += 1;
    } else if (type === "signals.retraction.v1" && ids.has(data.signal_id)) {
      ids.get(data.signal_id).retracted_at = data.retracted_at;
      list.redo(data.signal_id);
    }
  }
  if (!came) return;
  if ($("scroller").scrollTop > list.height / 2) {
    fresh += came;
    list.shift(came);
  }
  thin();
  offer();
  draw();
}

const follows = (row, other) => row.known_at < other.known_at || (row.known_at === other.known_at && row.signal_id < other.signal_id);

/** Put it where it belongs. */
function insert(row) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (follows(row, rows[middle])) low = middle + 1;
    else high = middle;
  }
  rows.splice(low, 0, row);
}

function thin() {
  if (rows.length <= KEPT || $("scroller").scrollTop > (KEPT / 4) * list.height) return;
  for (const gone of rows.splice(KEPT / 2)) ids.delete(gone.signal_id);
  cursor = rows.at(-1);
  more = true;
}

// Opening.
const opened = new Map();

export async function open(id, { focus = false } = {}) {
  if (id !== null && !ids.has(id)) return lookUp(id);
  list.currentKey = id ?? list.currentKey;
  list.open(id);
  remember({ signal: id });
  if (id === null) return;
  const n = list.indexOf(id);
  if (focus) list.focus(n);
  await fill(id);
  if (focus) list.show(n);
}

async function fill(id) {
  try {
    const told = await ask(`signals/${encodeURIComponent(id)}`);
    opened.clear();
    opened.set(id, detail(told));
  } catch (problem) {
    opened.set(id, [h("p", { class: "problem" }, problem.message)]);
  }
  const holder = list.made.get(id)?.querySelector(".detail");
  if (holder) holder.replaceChildren(...opened.get(id));
}

/** One that is not in the list as filtered and read so far: the list is read on from it. */
async function lookUp(id) {
  try {
    const { signal, retracted_at, outcome } = await ask(`signals/${encodeURIComponent(id)}`);
    const row = note({ ...signal, retracted_at, return_bp: outcome?.return_bp ?? null });
    insert(row);
    draw();
    await open(id, { focus: true });
  } catch (problem) {
    say($("count"), problem.message);
  }
}

// What people do.
$("rows").addEventListener("click", (event) => {
  const key = event.target.closest(".head")?.parentNode.dataset.key;
  if (key !== undefined) open(key === list.openKey ? null : key);
});

$("rows").addEventListener("keydown", (event) => {
  const row = event.target.closest("[data-key]");
  if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
  const n = list.indexOf(row.dataset.key);
  const page = Math.max(1, Math.floor($("scroller").clientHeight / list.height) - 1);
  const on = event.target.classList.contains("head");
  const to = on && { ArrowDown: n + 1, ArrowUp: n - 1, PageDown: n + page, PageUp: n - page, Home: 0, End: rows.length - 1 }[event.key];
  if (event.key === "Escape" && list.openKey !== null) {
    const was = list.indexOf(list.openKey);
    open(null);
    list.focus(was);
  } else if (typeof to === "number") list.focus(to);
  else return;
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, select, dialog")) return;
  event.preventDefault();
  form.elements.text.focus();
});

let later = 0;
form.addEventListener("input", () => {
  say($("strength-said"), Number(form.elements.strength.value).toFixed(2));
  clearTimeout(later);
  later = setTimeout(() => {
    remember(Object.fromEntries(FIELDS.map((name) => [name, wanted().get(name)])));
    read();
  }, 200);
});
form.addEventListener("reset", () => setTimeout(() => form.dispatchEvent(new Event("input"))));
form.addEventListener("submit", (event) => event.preventDefault());
$("fresh").addEventListener("click", () => {
  $("scroller").scrollTop = 0;
  list.focus(0);
});
$("scroller").addEventListener("scroll", () => {
  if (fresh && $("scroller").scrollTop < list.height) {
    fresh = 0;
    draw();
  }
}, { passive: true });

/** Set the filter as the address says. */
export function fromAddress() {
  const said = addressed();
  for (const name of FIELDS) {
    const value = said.get(name);
    if (name === "source" && value) {
      known.sources.add(value);
      offer();
    }
    if (value !== null) form.elements[name].value = value;
  }
  say($("strength-said"), Number(form.elements.strength.value).toFixed(2));
}

export function addSources(names) {
  names.forEach((one) => known.sources.add(one));
  offer();
}

/** Countdowns of what is in view. */
export function tick() {
  for (const [key, made] of list.made) {
    const row = ids.get(key);
    if (!row) continue;
    const [live, words] = lives(row);
    for (const one of made.querySelectorAll(".lives")) {
      if (one.dataset.live !== undefined && one.dataset.live !== live) one.dataset.live = live;
      say(one, words);
    }
  }
}
