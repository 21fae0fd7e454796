// Alerts: what is open, and what was, each with what to do.

import { ask } from "./ask.js";
import { $, h, word } from "./dom.js";
import { ago, clock, long } from "./time.js";

export async function read() {
  let told;
  try {
    told = await ask("alerts");
  } catch (problem) {
    $("alert-list").replaceChildren(h("p", { class: "problem" }, problem.message));
    return;
  }
  const open = told.alerts.filter((one) => !one.closed_at);
  const past = told.alerts.filter((one) => one.closed_at);
  $("alert-list").replaceChildren(
    h("h3", {}, "Open"), open.length ? list(open) : h("p", { class: "quiet" }, "None is open."),
    h("h3", {}, `Closed in the last ${told.days} days`), past.length ? list(past) : h("p", { class: "quiet" }, "None."));
}

const list = (alerts) => h("ul", { class: "alerts" }, alerts.map((one) => h("li", { data: { key: one.key } },
  word(one.closed_at ? "closed" : one.severity), h("span", {}, one.text), h("span", { class: "quiet" }, times(one)), h("span", { class: "mend" }, one.mend))));

function times({ opened_at: from, closed_at: to }) {
  return to ? `${clock(from, false)}, for ${long((Date.parse(to) - Date.parse(from)) / 1000)}` : `since ${clock(from, false)} (${ago(from)})`;
}
