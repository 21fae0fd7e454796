// The page: reads what it shows, then follows the line.

import { addressed } from "./address.js";
import * as alerts from "./alerts.js";
import * as card from "./card.js";
import { $ } from "./dom.js";
import * as filter from "./filter.js";
import * as inbox from "./inbox.js";
import * as jobs from "./jobs.js";
import { Line } from "./line.js";
import * as price from "./price.js";
import * as state from "./state.js";
import * as stream from "./stream.js";

const line = new Line();
const SLOW_MS = 300_000;
const RUNS_MS = 10_000;

line.addEventListener("told", ({ detail }) => {
  stream.told(detail);
  price.told(detail);
});
line.addEventListener("state", ({ detail }) => {
  const before = state.current();
  state.take(detail);
  jobs.take(detail);
  inbox.take(detail);
  if (detail.inbox?.rejected !== before?.inbox?.rejected) inbox.read();
  filter.addSources((detail.sources || []).map((one) => one.id));
  if (closes(before) !== closes(detail)) price.read();
});
line.addEventListener("reset", () => stream.read());
line.addEventListener("found", ({ detail }) => {
  if (detail.again) for (const read of [price.read, jobs.read, card.read, alerts.read, inbox.read]) read();
});
const closes = (told) => JSON.stringify(told?.prices ?? null);

setInterval(() => {
  state.tick(line.lost);
  stream.tick();
}, 1000);
setInterval(() => {
  if (line.lost || document.hidden) return;
  jobs.read();
  alerts.read();
}, RUNS_MS);
setInterval(() => line.lost || document.hidden || card.read(), SLOW_MS);

price.onOpen((id) => {
  $("stream").scrollIntoView();
  stream.open(id, { focus: true });
});

function go() {
  const said = addressed();
  if (said.get("signal")) {
    $("stream").scrollIntoView();
    stream.open(said.get("signal"), { focus: true });
  }
  if (said.get("run")) jobs.openTo(said.get("run"));
}
addEventListener("hashchange", go);

filter.fromAddress();
const after = await stream.read();
line.open(after);
await Promise.all([price.read(), jobs.read()]);
card.read();
alerts.read();
if (addressed().size) line.addEventListener("state", go, { once: true });
