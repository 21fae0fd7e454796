// Pushed news: how much is on its way, and what nobody could use, with why and the way back.

import { ask, change } from "./ask.js";
import { $, h, say } from "./dom.js";
import { clock } from "./time.js";

let mayAct = false;
let seen = false; // while Redis says nothing it need not be asked for more

/** How the inbox stands, from the state. */
export function take({ inbox, may_act: may }) {
  mayAct = may;
  seen = Boolean(inbox);
  if (!inbox) {
    say($("inbox-said"), "Redis did not say how the inbox stands.");
    return;
  }
  const workers = inbox.wanted ? `, ${inbox.workers} worker${inbox.workers === 1 ? "" : "s"}` : "";
  say($("inbox-said"), `${inbox.waiting} waiting, ${inbox.pending} in hand, ${inbox.scored} scored${workers}.`);
}

export async function read() {
  if (!seen) return;
  let told;
  try {
    told = await ask("inbox");
  } catch (problem) {
    $("letters").replaceChildren(h("p", { class: "problem" }, problem.message));
    return;
  }
  const { count, letters } = told;
  const all = count > 1 && mayAct ? button("Put all back", "all", "Put all dead letters back into the inbox") : null;
  const more = count > letters.length ? h("p", { class: "quiet" }, `The newest ${letters.length} of ${count}.`) : null;
  $("letters").replaceChildren(
    h("h3", {}, "Dead letters ", all),
    ...(count ? [h("ul", { class: "alerts letters" }, letters.map(line)), more].filter(Boolean) : [h("p", { class: "quiet" }, "None.")]));
}

const line = (one) => h("li", { data: { key: one.rejected_id } },
  h("span", { class: "quiet" }, clock(one.rejected_at)), h("span", {}, one.reason),
  mayAct ? button("Put back", one.rejected_id, `Put ${one.rejected_id} back into the inbox`) : null,
  h("span", { class: "mend" }, one.text));

function button(words, id, label) {
  return h("button", { type: "button", "aria-label": label, on: { click: (event) => back(id, event.currentTarget) } }, words);
}

async function back(id, pressed) {
  pressed.disabled = true;
  try {
    await change(`inbox/redrive/${encodeURIComponent(id)}`);
    await read();
  } catch (problem) {
    pressed.replaceWith(h("span", { class: "problem", role: "alert" }, problem.message));
  } finally {
    pressed.disabled = false;
  }
}
