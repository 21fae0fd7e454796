// The filter over the stream: what it says, what may be chosen, and how it stands in the address.

import { addressed, remember } from "./address.js";
import { $, h, say } from "./dom.js";
import { call } from "./row.js";

const FIELDS = ["text", "direction", "topic", "source", "strength"];
const SETTLED_MS = 200; // after the last key

const form = $("filter");
const known = { topics: new Set(), sources: new Set() };
let read = () => {};

export function onFilter(does) {
  read = does;
}

/** What is asked for. */
export function wanted() {
  const made = new URLSearchParams();
  for (const name of FIELDS) {
    const value = form.elements[name].value.trim();
    if (value && !(name === "strength" && Number(value) === 0)) made.set(name, value);
  }
  return made;
}

/** The same question as the service answers, for what comes in live. */
export function fits(row, query) {
  const direction = query.get("direction");
  return (!direction || call(row) === direction) && (!query.get("topic") || row.topics.includes(query.get("topic"))) &&
    (!query.get("source") || row.source === query.get("source")) && row.strength >= Number(query.get("strength") || 0) &&
    row.title.toLowerCase().includes((query.get("text") || "").toLowerCase());
}

/** Take topics and source of a signal into what may be chosen. */
export function know({ topics, source }) {
  topics.forEach((one) => known.topics.add(one));
  known.sources.add(source);
}

/** Offer what is known by now. */
export function offer() {
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

let later = 0;
form.addEventListener("input", () => {
  say($("strength-said"), Number(form.elements.strength.value).toFixed(2));
  clearTimeout(later);
  later = setTimeout(() => {
    remember(Object.fromEntries(FIELDS.map((name) => [name, wanted().get(name)])));
    read();
  }, SETTLED_MS);
});
form.addEventListener("reset", () => setTimeout(() => form.dispatchEvent(new Event("input"))));
form.addEventListener("submit", (event) => event.preventDefault());
