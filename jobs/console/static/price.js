// The chart: USD/JPY with the signals as marks, and the index under it.

import { ask } from "./ask.js";
import { $, say } from "./dom.js";
import { clock, now } from "./time.js";

const SHAPES = { up: ["arrowUp", "belowBar"], down: ["arrowDown", "aboveBar"], flat: ["circle", "inBar"], unknown: ["circle", "inBar"] };
const WORDS = { "6h": "6 hours", "1d": "a day", "1w": "a week", "1m": "a month" };

let lib = null;
let made = null; // the chart and its series
let shown = null; // what it shows
let index = null; // the index as last told
let open = () => {};

export function onOpen(does) {
  open = does;
}

const chosen = () => document.querySelector("#ranges input:checked").value;
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Read the range anew and draw it. */
export async function read() {
  const range = chosen();
  let told;
  try {
    [told, lib] = await Promise.all([ask(`chart?range=${range}`), lib || import("./lightweight-charts.js")]);
  } catch (problem) {
    say($("price-said"), problem.message);
    return;
  }
  if (range !== chosen()) return;
  const another = !shown || shown.range !== told.range || shown.source !== told.source;
  shown = told;
  tell();
  $("chart").hidden = !told.bars.length;
  if (told.bars.length) draw(another);
}

function draw(another) {
  if (another && made) {
    made.chart.remove();
    made = null;
  }
  made ??= build();
  made.price.setData(shown.length_s > 0 ? bars() : shown.bars.map(([time, , , , close]) => ({ time, value: close })));
  made.index.setData(shown.index.map(([time, value]) => (value === null ? { time } : { time, value })));
  made.marks.setMarkers(marks());
  if (another) made.chart.timeScale().fitContent();
}

const bars = () => shown.bars.map(([time, open, high, low, close]) => ({ time, open, high, low, close }));

function build() {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const chart = lib.createChart($("chart"), {
    autoSize: true, layout: { attributionLogo: false }, localization: { locale: "en-GB" }, kineticScroll: { touch: !still, mouse: false },
    handleScroll: { mouseWheel: false, vertTouchDrag: false }, handleScale: { mouseWheel: false },
  });
  const price = shown.length_s > 0 ? chart.addSeries(lib.CandlestickSeries) : chart.addSeries(lib.LineSeries);
  const below = chart.addSeries(lib.BaselineSeries, { baseValue: { type: "price", price: 0 }, priceLineVisible: false, autoscaleInfoProvider: () => ({ priceRange: { minValue: -1, maxValue: 1 } }) }, 1);
  chart.panes()[1].setHeight(90);
  const marksOn = lib.createSeriesMarkers(price, []);
  made = { chart, price, index: below, marks: marksOn };
  colour();
  chart.subscribeClick(({ time, hoveredObjectId }) => {
    const near = hoveredObjectId || [...shown.marks].reverse().find(([, at]) => barOf(at) === time)?.[0];
    if (near) open(near);
  });
  chart.subscribeCrosshairMove(({ time }) => legend(time));
  return made;
}

function colour() {
  if (!made) return;
  made.chart.applyOptions({
    layout: { background: { color: ink("card") }, textColor: ink("soft"), panes: { separatorColor: ink("edge") } },
    grid: { vertLines: { color: ink("hover") }, horzLines: { color: ink("hover") } },
    timeScale: { timeVisible: true, secondsVisible: false, borderColor: ink("edge") }, rightPriceScale: { borderColor: ink("edge") },
  });
  const [up, down] = [ink("up"), ink("down")];
  const soft = ink("soft");
  made.price.applyOptions(shown.length_s > 0
    ? { upColor: "transparent", downColor: soft, borderUpColor: soft, borderDownColor: soft, wickUpColor: soft, wickDownColor: soft, priceFormat: { precision: 3, minMove: 0.001 } }
    : { color: soft, lineWidth: 2, priceFormat: { precision: 3, minMove: 0.001 } });
  made.index.applyOptions({ topLineColor: up, topFillColor1: `${up}55`, topFillColor2: `${up}11`, bottomLineColor: down, bottomFillColor1: `${down}11`, bottomFillColor2: `${down}55`, lineWidth: 2 });
}

/** The bar that a moment falls into: the last that opened by then; null before the first. */
function barOf(at) {
  const second = Date.parse(at) / 1000;
  let [low, high] = [0, shown.bars.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (shown.bars[middle][0] <= second) low = middle + 1;
    else high = middle;
  }
  return low ? shown.bars[low - 1][0] : null;
}

function marks() {
  return shown.marks.flatMap(([id, at, call, strength]) => {
    const time = barOf(at);
    const [shape, position] = SHAPES[call];
    return time === null ? [] : [{ time, id, shape, position, color: ink(call === "unknown" ? "flat" : call), size: 0.6 + strength }];
  }).sort((a, b) => a.time - b.time);
}

function legend(time) {
  const bar = time && shown.bars.find(([at]) => at === time);
  if (!bar) return say($("chart-legend"), "▲ up, ▼ down and ● flat mark signals; select a bar to open its signal.");
  const titles = shown.marks.filter(([, at]) => barOf(at) === time).map(([, , call, , title]) => `${call}: ${title}`);
  say($("chart-legend"), `${clock(time * 1000, false)} · open ${bar[1].toFixed(3)} high ${bar[2].toFixed(3)} low ${bar[3].toFixed(3)} close ${bar[4].toFixed(3)}${titles.length ? ` · ${titles.slice(-2).join(" · ")}` : ""}`);
}

/** The picture in words. */
function tell() {
  const { bars: all, marks: told, source, last_close_at: closed, range } = shown;
  if (!all.length) return say($("price-said"), "No price is kept yet.");
  const [first, last] = [all[0][1], all[all.length - 1][4]];
  const moved = Math.log(last / first) * 1e4;
  const leans = index === null ? null : index.value > 0.02 ? "leans up" : index.value < -0.02 ? "leans down" : "leans nowhere";
  const said = document.createElement("b");
  said.textContent = last.toFixed(3);
  const old = (now() - Date.parse(closed)) / 1000 > 900 ? " – not a live price" : "";
  $("price-said").replaceChildren(said, ` JPY per USD at ${clock(closed, false)} UTC (${source}${old}) · ${moved >= 0 ? "+" : "−"}${Math.abs(moved).toFixed(0)} bp in ${source === "ecb" ? "90 days" : WORDS[range]} · ${told.length} signals`,
    leans ? ` · index ${index.value >= 0 ? "+" : "−"}${Math.abs(index.value).toFixed(2)}, ${leans}, of ${index.n_signals} live signals` : "");
}

/** Messages of the channel: the last index is told at once, marks come with a reading soon after. */
let soon = 0;
export function told(messages) {
  const last = messages.findLast(({ type }) => type === "signals.index.v1");
  if (last) {
    index = last.data;
    if (shown) tell();
  }
  soon ||= setTimeout(() => {
    soon = 0;
    read();
  }, 2000);
}

$("ranges").addEventListener("change", read);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colour();
  if (made) made.marks.setMarkers(marks());
});
