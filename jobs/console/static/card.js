// The scorecard: what came of what was called.

import { ask } from "./ask.js";
import { $, h, say } from "./dom.js";
import { clock, now } from "./time.js";

const part = (value) => `${Math.round(value * 100)} %`;
const bp = (value) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(1)} bp`;
const ranged = (form) => ({ value, low, high, n }) => (value === null ? "–" : `${form(value)}${low === null ? ` (of ${n})` : ` (${form(low)} to ${form(high)})`}`);

const LINES = [
  ["Signals", (card) => card.signals], ["Called up or down", (card) => card.calls], ["Hit", (card) => card.hits], ["Missed", (card) => card.misses],
  ["Hit rate", (card) => ranged(part)(card.hit_rate)], ["Mean before costs", (card) => ranged(bp)(card.mean_gross_bp)],
  ["Mean net of costs", (card) => ranged(bp)(card.mean_net_bp)], ["Sum net of costs", (card) => bp(card.total_net_bp)],
  ["Called flat", (card) => card.quiet], ["Abstained", (card) => card.abstained], ["Retracted", (card) => card.retracted],
  ["Not settled yet", (card) => card.waiting], ["No price", (card) => card.no_price],
  ["Large hourly moves", (card) => card.moves.large], ["Of them not called", (card) => card.moves.uncalled],
];

export async function read() {
  let told;
  try {
    told = await ask("scorecard");
  } catch (problem) {
    say($("card-said"), problem.message);
    return;
  }
  const days = told.cards.map(({ days: n }) => h("th", { scope: "col", class: "num" }, n === 1 ? "last day" : `last ${n} days`));
  $("card").replaceChildren(h("thead", {}, h("tr", {}, h("td"), days)), h("tbody", {}, LINES.map(([name, cell]) =>
    h("tr", {}, h("th", { scope: "row" }, name), told.cards.map((card) => h("td", { class: "num" }, String(cell(card))))))));
  say($("card-said"), `Signals told live, settled at their horizon, as of ${clock(told.at || now())} UTC; brackets hold 95 % intervals.`);
}
