// A long list of which only what is in view exists. All rows are as high as `--row`; the one that is open adds its own.

const AROUND = 8;

export class LongList {
  /**
   * @param scroller, holder  the box that scrolls and the list in it
   * @param count  how many rows there are
   * @param key    the id of row n
   * @param make   the element of row n
   * @param more   called when the end comes near
   */
  constructor({ scroller, holder, count, key, make, more }) {
    Object.assign(this, { scroller, holder, count, key, make, more });
    this.made = new Map();
    this.openKey = null;
    this.openExtra = 0;
    this.currentKey = null;
    this.height = this.#rowHeight();
    scroller.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(scroller);
    this.watchOpen = new ResizeObserver((seen) => this.#opened(seen[0].contentRect.height));
  }

  #rowHeight() {
    return parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
  }

  #resized() {
    this.height = this.#rowHeight();
    this.draw();
  }

  #opened(height) {
    const extra = Math.max(0, Math.ceil(height) - this.height + 1);
    if (extra !== this.openExtra) {
      this.openExtra = extra;
      this.draw();
    }
  }

  get openIndex() {
    return this.openKey === null ? -1 : this.indexOf(this.openKey);
  }

  indexOf(key) {
    for (let n = 0; n < this.count(); n++) if (this.key(n) === key) return n;
    return -1;
  }

  top(n, open = this.openIndex) {
    return n * this.height + (open >= 0 && n > open ? this.openExtra : 0);
  }

  at(y, open) {
    if (open < 0 || y < (open + 1) * this.height) return Math.floor(y / this.height);
    return Math.max(open, Math.floor((y - this.openExtra) / this.height));
  }

  /** Put what is in view where it belongs. */
  draw() {
    const count = this.count();
    const open = this.openIndex;
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, this.at(scrollTop, open) - AROUND);
    const last = Math.min(count - 1, this.at(scrollTop + clientHeight, open) + AROUND);
    this.holder.style.height = `${count * this.height + (open >= 0 ? this.openExtra : 0)}px`;
    const wanted = new Map();
    for (let n = first; n <= last; n++) wanted.set(this.key(n), n);
    const focused = document.activeElement?.closest?.("[data-key]")?.dataset.key;
    for (const [key, row] of this.made) {
      if (wanted.has(key)) continue;
      const n = key === focused || key === this.openKey ? this.indexOf(key) : -1;
      if (n >= 0) wanted.set(key, n); // what has the focus, or is open, stays
      else {
        row.remove();
        this.made.delete(key);
      }
    }
    const current = this.currentKey !== null && wanted.has(this.currentKey) ? this.currentKey : wanted.keys().next().value;
    let before = null;
    for (const [key, n] of [...wanted].sort((a, b) => b[1] - a[1])) {
      let row = this.made.get(key);
      if (!row) {
        row = this.make(n);
        this.made.set(key, row);
      }
      if (row.nextSibling !== before || row.parentNode !== this.holder) {
        if (!row.contains(document.activeElement) || row.parentNode !== this.holder) this.holder.insertBefore(row, before);
      }
      before = row;
      row.style.transform = `translateY(${this.top(n, open)}px)`;
      row.setAttribute("aria-posinset", n + 1);
      row.setAttribute("aria-setsize", count);
      row.querySelector("button").tabIndex = key === current ? 0 : -1;
    }
    if (last >= count - 60) this.more();
  }

  /** Make a row anew where it stands in view. */
  redo(key) {
    const old = this.made.get(key);
    if (!old) return;
    const had = old.contains(document.activeElement);
    this.made.delete(key);
    old.remove();
    this.draw();
    if (had) this.made.get(key)?.querySelector("button").focus({ preventScroll: true });
  }

  clear() {
    for (const row of this.made.values()) row.remove();
    this.made.clear();
  }

  /** Keep what is in view where it is, while `rows` come in above it. */
  shift(rows) {
    if (this.scroller.scrollTop > this.height / 2) this.scroller.scrollTop += rows * this.height;
  }

  show(n) {
    const top = this.top(n);
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.scroller.scrollTop = top + this.height - clientHeight;
  }

  focus(n) {
    const bounded = Math.max(0, Math.min(this.count() - 1, n));
    if (this.count() === 0) return;
    this.currentKey = this.key(bounded);
    this.show(bounded);
    this.draw();
    this.made.get(this.currentKey)?.querySelector("button").focus({ preventScroll: true });
  }

  open(key) {
    this.watchOpen.disconnect();
    const before = this.openKey;
    this.openKey = key;
    this.openExtra = 0;
    for (const one of [before, key]) if (one !== null) this.redo(one);
    const row = key === null ? null : this.made.get(key);
    if (row) this.watchOpen.observe(row);
    this.draw();
  }
}
