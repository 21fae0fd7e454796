// One signal: as a row of the list, and opened.

import { h, link } from "./dom.js";
import { clock, day, left, now } from "./time.js";

export const CALLS = { up: "▲ up", down: "▼ down", flat: "● flat", unknown: "? unknown" };
export const call = (signal) => (signal.abstained ? "unknown" : signal.direction);
export const bp = (value) => (value === null || value === undefined ? "–" : `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(1)} bp`);
const share = (value) => `${Math.round(value * 100)} %`;

/** What is said of how long it holds: `live 42:10`, `expired`, `retracted`, `replaced`. */
export function lives(row) {
  if (row.retracted_at) return ["no", "retracted"];
  if (row.replaced) return ["no", "replaced"];
  return Date.parse(row.valid_until) > now() ? ["yes", `live ${left(row.valid_until)}`] : ["no", "expired"];
}

export function head(row, open) {
  const is = call(row);
  const [live, words] = lives(row);
  const bar = h("i", { data: { call: is }, style: { width: share(row.strength).replace(" ", "") } });
  return h("button", { type: "button", class: "head", "aria-expanded": String(open), "aria-controls": open ? `d-${row.signal_id}` : null },
    h("span", { class: "call", data: { call: is } }, CALLS[is]),
    h("span", { class: "when" }, clock(row.known_at).slice(-8), h("br"), " ", h("span", {}, day(row.known_at))),
    h("span", { class: "words" }, h("span", { class: "title" }, row.title),
      h("span", { class: "from" }, `${row.source} · ${row.topics.join(", ") || "no topic"}${row.backfilled ? " · archive" : ""}`)),
    h("span", { class: "gauge" }, h("span", { class: "quiet" }, `strength ${row.strength.toFixed(2)}`), h("span", { class: "meter" }, bar)),
    h("span", { class: "lives", data: { live } }, words),
    h("span", { class: "after" }, row.return_bp === null ? "" : h("span", { class: "hidden" }, "then "), row.return_bp === null ? "" : bp(row.return_bp)));
}

/** The headline with its evidence marked. Spans count Unicode characters, not UTF-16 units. */
export function marked(title, evidence) {
  const letters = Array.from(title);
  const spans = evidence.filter((one) => one.span && one.weight !== 0).sort((a, b) => a.span[0] - b.span[0] || b.span[1] - a.span[1]);
  const parts = [];
  let at = 0;
  for (const { span: [from, to], weight, feature } of spans) {
    if (from < at || to > letters.length) continue; // within what is marked already
    parts.push(letters.slice(at, from).join(""));
    const leans = weight > 0 ? "up" : "down";
    parts.push(h("mark", { data: { to: leans }, title: `${feature}: ${weight > 0 ? "+" : "−"}${Math.abs(weight).toFixed(2)} (${leans})` }, letters.slice(from, to).join("")));
    at = to;
  }
  parts.push(letters.slice(at).join(""));
  return parts;
}

const chance = (name, value) => h("div", { class: "pair" }, h("span", { class: "call", data: { call: name } }, CALLS[name]),
  h("span", { class: "meter" }, h("i", { data: { call: name }, style: { width: `${value * 100}%` } })), h("span", {}, share(value)));

function leg(name, value) {
  const bar = h("i", { style: { left: `${50 + Math.min(0, value) * 50}%`, width: `${Math.abs(value) * 50}%` } });
  const gains = value > 0.005 ? "gains" : value < -0.005 ? "loses" : "unmoved";
  return h("div", { class: "pair" }, h("span", {}, `${name} ${gains}`), h("span", { class: "leg" }, bar),
    h("span", {}, `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(2)}`));
}

const list = (pairs) => h("dl", { class: "list" }, pairs.filter(Boolean).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
const price = (value) => (value === null ? "unknown" : value.toFixed(3));

function after(signal, outcome) {
  if (!outcome) return [["Not settled", `its horizon of ${signal.horizon_s / 60} min is not reached, or its bars have not come`]];
  if (outcome.outcome !== "settled") return [["No outcome", outcome.outcome === "no_entry" ? "no price came before it expired" : "no price came after its horizon"]];
  return [
    ["Price moved", bp(outcome.return_bp)], ["A round trip costs", bp(outcome.cost_bp)],
    ["From", `${price(outcome.entry_price)} at ${clock(outcome.entry_at)}`], ["To", `${price(outcome.exit_price)} at ${clock(outcome.exit_at)}`],
    ["By bars of", outcome.source],
  ];
}

/** The opened part. `told` is what the service says of one signal. */
export function detail({ signal, retracted_at, outcome }) {
  const at = signal.ref_price_at ? `, at ${clock(signal.ref_price_at)} (${signal.ref_source}${signal.stale ? ", stale" : ""})` : "";
  const row = { ...signal, retracted_at };
  return [
    h("p", { class: "headline", lang: signal.lang }, marked(signal.title, signal.evidence)),
    h("div", { class: "facts" },
      h("div", {}, h("h3", {}, "Probabilities"), chance("up", signal.p_up), chance("flat", signal.p_flat), chance("down", signal.p_down),
        signal.abstained ? h("p", { class: "quiet" }, `It could not be judged: ${signal.abstain_reason}`) : null),
      h("div", {}, h("h3", {}, "Legs"), leg("USD", signal.usd_effect), leg("JPY", signal.jpy_effect),
        h("p", { class: "quiet" }, `strength ${signal.strength.toFixed(2)} · relevance ${signal.relevance.toFixed(2)} · novelty ${signal.novelty.toFixed(2)}`)),
      h("div", {}, h("h3", {}, "Price at the time"), list([
        ["USD/JPY", `${price(signal.ref_price)}${at}`], ["5 min before", bp(signal.return_5m_bp)], ["60 min before", bp(signal.return_60m_bp)],
        ["Volatility, 60 min", bp(signal.volatility_60m_bp).replace("+", "")], ["Market", signal.market_open ? "open" : "closed"],
      ])),
      h("div", {}, h("h3", {}, "What the price did"), list(after(signal, outcome))),
      h("div", {}, h("h3", {}, "Times (UTC)"), list([
        ["Holds", h("span", { class: "lives", data: { until: signal.valid_until } }, lives(row)[1])],
        ["Published", signal.source_published_at ? clock(signal.source_published_at) : "not said"], ["Known", clock(signal.known_at)],
        ["Scored", clock(signal.scored_at)], ["Expires", clock(signal.valid_until)],
        retracted_at ? ["Retracted", clock(retracted_at)] : null,
      ])),
      h("div", {}, h("h3", {}, "Source"), list([
        ["From", signal.url ? link(signal.url, signal.source) : signal.source], signal.url ? ["Address", link(signal.url, signal.url)] : null,
        ["Topics", signal.topics.join(", ") || "none"], ["Told by", `${signal.n_sources} sources, ${signal.mentions_24h} headlines in 24 h`],
        signal.event_window ? ["Window", signal.event_window] : null, ["Model", signal.model_id],
        ["This signal", h("a", { href: `#signal=${encodeURIComponent(signal.signal_id)}` }, signal.signal_id)],
      ])),
      evidence(signal)),
  ];
}

function evidence(signal) {
  const strongest = [...signal.evidence].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, 8);
  if (!strongest.length) return null;
  return h("div", {}, h("h3", {}, "Evidence (log-odds of up against down)"), list(strongest.map((one) => [
    `${one.weight >= 0 ? "+" : "−"}${Math.abs(one.weight).toFixed(2)}`, one.text && one.text !== one.feature ? `${one.text} (${one.feature})` : one.feature,
  ])));
}
