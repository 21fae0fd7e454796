// The sentence, what is wrong, and the sources.

import { $, h, say, word } from "./dom.js";
import { ago, clock, due, now } from "./time.js";

const WORDS = { ok: "OK", warning: "Warning", critical: "Critical", unknown: "Unknown" };
let state = null;
let at = null;
let spoken = null;

export const current = () => state;

export function take(told) {
  state = told;
  at = now();
  const worst = told.severity || "unknown";
  $("state").dataset.severity = worst;
  say($("severity"), WORDS[worst] || worst);
  say($("sentence"), told.sentence);
  const keys = told.findings.map((one) => one.key).join() || worst;
  if (keys !== spoken) {
    spoken = keys; // read out when something changes, not with every minute that goes by
    say($("spoken"), `${WORDS[worst]}: ${$("sentence").textContent}`);
  }
  $("findings").hidden = !told.findings.length;
  $("findings").replaceChildren(...told.findings.map((one) => h("li", {}, word(one.severity), " ", one.text, one.since ? ` (since ${clock(one.since)})` : "", one.mend ? h("span", { class: "mend" }, ` – ${one.mend}`) : null)));
  tick();
}

const IS = { ok: "ok", down: "down", new: "not asked yet", off: "off" };

function is(source) {
  if (!source.enabled) return "off";
  if (!source.last_attempt_at) return "new";
  return source.failures ? "down" : "ok";
}

/** Ages go on between two tellings. */
export function tick(lost) {
  if (!state) return;
  const here = state.leads ? "" : " · this one stands by";
  const services = state.services ? ` · ${state.services}${here}` : "";
  $("about").textContent = `Model ${state.model_id || "not loaded"} · market ${state.market_open ? "open" : "closed"}${services}`;
  const stands = lost ? `As it stood at ${clock(at)} UTC; the line is lost since.`
    : state.read_at ? `What the store says is of ${clock(state.read_at)} UTC: it could not be read since.` : `As of ${clock(now())} UTC.`;
  say($("as-of"), stands);
  const rows = $("source-rows");
  const sources = state.sources || [];
  if (rows.children.length !== sources.length) {
    rows.replaceChildren(...sources.map((one) => h("tr", {}, h("th", { scope: "row" }, one.id), ...Array.from({ length: 5 }, () => h("td")))));
  }
  sources.forEach((one, n) => {
    const [, state_, answer, news, next, error] = rows.children[n].children;
    const stands_ = is(one);
    if (state_.firstChild?.dataset?.is !== stands_) state_.replaceChildren(word(stands_, IS[stands_]));
    say(answer, ago(one.last_success_at));
    say(news, one.last_new_at ? ago(one.last_new_at) : "–");
    say(next, one.enabled ? due(one.next_attempt_at) : "–");
    say(error, one.failures ? `${one.last_error || "failed"}${one.failures > 1 ? ` (${one.failures} times)` : ""}` : "");
  });
}
