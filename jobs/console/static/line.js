// The line to the service: server-sent events, taken up again where they broke off; a dead line is told at once.

import { API } from "./ask.js";
import { $, say } from "./dom.js";
import { clock, heard, now } from "./time.js";

const SILENT_MS = 6000; // the service ticks every 2 s
const AGAIN_MS = 1000;

export class Line extends EventTarget {
  #source = null;
  #last = null;
  #heardAt = performance.now();
  #lostAt = null;
  #again = 0;

  /** Begin, after the place that the lists were read at. */
  open(after) {
    this.#last ??= after;
    this.#dial();
    setInterval(() => this.#watch(), 500);
    addEventListener("offline", () => this.#lose());
    addEventListener("online", () => this.#dial());
  }

  get lost() {
    return this.#lostAt !== null;
  }

  #dial() {
    clearTimeout(this.#again);
    this.#source?.close();
    const source = new EventSource(`${API}/live${this.#last ? `?after=${encodeURIComponent(this.#last)}` : ""}`);
    this.#source = source;
    this.#heardAt = performance.now();
    source.onerror = () => {
      this.#lose();
      source.close();
      this.#again = setTimeout(() => this.#dial(), AGAIN_MS);
    };
    for (const name of ["told", "state", "tick", "reset"]) {
      source.addEventListener(name, (event) => this.#hear(name, event));
    }
  }

  #hear(name, event) {
    this.#heardAt = performance.now();
    if (event.lastEventId) this.#last = event.lastEventId;
    const told = JSON.parse(event.data);
    if (name === "tick") heard(told.at);
    if (this.#lostAt !== null || $("line").dataset.line !== "live") this.#found();
    this.dispatchEvent(new CustomEvent(name, { detail: told }));
  }

  #found() {
    const again = this.#lostAt !== null;
    this.#lostAt = null;
    this.#show("live", "Live");
    if (again) say($("spoken"), "Connected again");
    this.dispatchEvent(new CustomEvent("found", { detail: { again } }));
  }

  #lose() {
    if (this.#lostAt === null) {
      this.#lostAt = now();
      say($("spoken"), "The connection is lost");
    }
    this.#show("lost", `Not connected since ${clock(this.#lostAt)} UTC – retrying`);
  }

  #watch() {
    if (performance.now() - this.#heardAt > SILENT_MS) {
      this.#lose();
      this.#dial();
    }
  }

  #show(is, words) {
    $("line").dataset.line = is;
    document.body.dataset.line = is;
    say($("line"), words);
  }
}
