// Elements out of plain values. Every text goes in as a text node: nothing here, or anywhere on the page, parses markup.

export const $ = (id) => document.getElementById(id);

/** An element: `{class, data: {…}, on: {…}, …attributes}` and its children, texts or nodes; null and false are left out. */
export function h(tag, given = {}, ...children) {
  return dress(document.createElement(tag), given, children);
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(tag, given = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), given, children);
}

function dress(made, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, does] of Object.entries(value)) made.addEventListener(event, does);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "style") for (const [key, to] of Object.entries(value)) made.style.setProperty(key, to);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}

/** A link to an address that came from outside: only http and https are links, all else stays a text. */
export function link(address, words) {
  let url = null;
  try {
    url = new URL(address);
  } catch {
    return document.createTextNode(words);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return document.createTextNode(words);
  return h("a", { href: url.href, rel: "noopener noreferrer", target: "_blank" }, words);
}

/** Change a text only where it differs: what did not change is not painted, and not read out. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function word(is, text = is) {
  return h("span", { class: "word", data: { is } }, text);
}

/** Does `work` once the current burst is over, at most once a frame. */
export function once(work) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    const go = () => {
      if (!due) return;
      due = false;
      work();
    };
    if (document.hidden) setTimeout(go, 200);
    else requestAnimationFrame(go);
  };
}
