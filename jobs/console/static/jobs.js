// Jobs as a timeline of runs, each opening to its log.

import { addressed, remember } from "./address.js";
import { ask, change } from "./ask.js";
import { $, h, say, svg, word } from "./dom.js";
import { clock, due, now } from "./time.js";

const ORDER = ["ok", "skipped", "partial", "running", "missed", "failed"]; // what is wrong is drawn last, on top
const SHOWN = 20;
let runs = [];
let jobs = [];
let since = 0;
let openJob = null;
let openRun = null;
const made = new Map();
let acts = [];

export async function read() {
  try {
    const told = await ask(`runs?hours=${$("hours").value}`);
    runs = told.rows.map(([id, job, from, to, outcome]) => ({ id, job, from: Date.parse(from), to: to && Date.parse(to), outcome }));
    since = Date.parse(told.since);
  } catch {
    return; // the line says that nothing comes
  }
  draw();
}

export function take(state) {
  jobs = state.jobs || [];
  acts = state.may_act ? ["run", "pause"] : [];
  draw();
}

function draw() {
  for (const job of jobs) {
    if (!made.has(job.name)) {
      made.set(job.name, row(job.name));
      $("job-list").append(made.get(job.name).item);
    }
    fill(made.get(job.name), job, runs.filter((run) => run.job === job.name));
  }
}

function row(name) {
  const strip = svg("svg", { class: "strip", "aria-hidden": "true", preserveAspectRatio: "none", viewBox: "0 0 1000 10", on: { click: (event) => pick(name, event) } });
  const last = h("span", { class: "last quiet" });
  const held = h("div", { class: "runs", hidden: true, id: `runs-${name}` });
  const button = h("button", { type: "button", class: "name", "aria-expanded": "false", "aria-controls": `runs-${name}`, on: { click: () => toggle(name) } }, name);
  const does = h("span", { class: "acts" });
  const item = h("li", { class: "job" }, h("div", { class: "line" }, button, strip, last, does), held);
  return { item, strip, last, held, button, does };
}

function fill(row, job, mine) {
  const span = now() - since;
  const x = (at) => Math.max(0, ((at - since) / span) * 1000);
  const paths = ORDER.map((outcome) => {
    const d = mine.filter((run) => run.outcome === outcome).map((run) => {
      const from = x(run.from);
      return `M${from.toFixed(1)} 0h${Math.max(1.2, x(run.to || now()) - from).toFixed(1)}v10H${from.toFixed(1)}z`;
    }).join("");
    return d && svg("path", { class: outcome, d });
  }).filter(Boolean);
  row.strip.replaceChildren(...paths);
  const wrong = mine.filter((run) => run.outcome === "failed" || run.outcome === "missed").length;
  const latest = job.last_run;
  const is = job.paused ? "paused" : !job.enabled ? "off" : latest ? latest.outcome : "new";
  const next = job.enabled && !job.paused && job.next_run_at ? ` · next ${due(job.next_run_at)}` : "";
  row.last.replaceChildren(word(is, is === "new" ? "not run yet" : is), latest ? ` ${clock(latest.started_at)}` : "", next, wrong ? ` · ${wrong} failed` : "");
  if (row.does.children.length !== acts.length) {
    row.does.replaceChildren(...acts.map((act) => h("button", { type: "button", data: { act }, on: { click: (event) => ordered(job.name, event.currentTarget) } })));
  }
  for (const button of row.does.children) {
    const act = button.dataset.act === "run" ? "run" : job.paused ? "resume" : "pause";
    button.dataset.act = act;
    say(button, { run: "Run", pause: "Pause", resume: "Resume" }[act]);
    button.setAttribute("aria-label", `${button.textContent} ${job.name}`);
  }
  if (openJob === job.name) list(row, mine);
}

async function ordered(name, button) {
  button.disabled = true;
  try {
    await change(`jobs/${name}/${button.dataset.act}`);
  } catch (problem) {
    const row = made.get(name);
    row.last.replaceChildren(h("span", { class: "problem", role: "alert" }, problem.message));
  } finally {
    button.disabled = false;
    setTimeout(read, 300);
  }
}

function toggle(name, open = openJob !== name) {
  if (openJob && openJob !== name) toggle(openJob, false);
  openJob = open ? name : null;
  const { held, button } = made.get(name);
  held.hidden = !open;
  button.setAttribute("aria-expanded", String(open));
  if (open) draw();
}

/** The run nearest to where the strip was touched. */
function pick(name, event) {
  const box = event.currentTarget.getBoundingClientRect();
  const at = since + ((event.clientX - box.left) / box.width) * (now() - since);
  const mine = runs.filter((run) => run.job === name);
  if (!mine.length) return;
  openTo(mine.reduce((best, run) => (Math.abs(run.from - at) < Math.abs(best.from - at) ? run : best)).id, name);
}

function list(row, mine) {
  const listed = mine.slice(0, SHOWN);
  const wanted = openRun && mine.find((run) => run.id === openRun);
  if (wanted && !listed.includes(wanted)) listed.push(wanted);
  const key = listed.map((run) => run.id + run.outcome).join() + openRun;
  if (row.held.dataset.key === key) return;
  row.held.dataset.key = key;
  const had = document.activeElement?.closest?.(".run")?.dataset.id;
  const log = row.held.querySelector(`.run[data-id="${openRun}"] .log`);
  row.held.replaceChildren(...listed.map((run) => {
    const open = run.id === openRun;
    const took = run.to ? `${((run.to - run.from) / 1000).toFixed(2)} s` : "…";
    return h("div", { class: "run", data: { id: run.id } },
      h("button", { type: "button", "aria-expanded": String(open), on: { click: () => show(run.id === openRun ? null : run.id) } },
        h("span", {}, clock(run.from)), word(run.outcome), h("span", {}, took), h("span", { class: "ticks" }, run.id)),
      open ? log || h("div", { class: "log" }, h("p", { class: "quiet" }, "Reading …")) : null);
  }), listed.length ? "" : h("p", { class: "quiet" }, "It did not run in this time."));
  if (had) row.held.querySelector(`.run[data-id="${had}"] button`)?.focus();
}

async function show(id) {
  openRun = id;
  remember({ run: id });
  draw();
  if (id === null) return;
  const holder = () => document.querySelector(`.run[data-id="${CSS.escape(id)}"] .log`);
  try {
    const { run, lines, left_out: less } = await ask(`runs/${encodeURIComponent(id)}`);
    const counts = Object.entries(run.counts).filter(([, count]) => count).map(([name, count]) => `${count} ${name.replaceAll("_", " ")}`);
    holder()?.replaceChildren(
      h("p", { class: "quiet" }, `${run.trigger}${run.attempt > 1 ? `, attempt ${run.attempt}` : ""}${counts.length ? ` · ${counts.join(", ")}` : ""}`),
      ...(run.error ? [h("p", { class: "problem" }, run.error)] : []), ...run.notes.map((note) => h("p", {}, note)),
      h("ol", { class: "lines", tabindex: "0", "aria-label": `Log of run ${run.run_id}` }, less ? h("li", {}, `${less} lines before these are in the log file`) : null, lines.map((line) => h("li", {}, told(line))),
        lines.length ? null : h("li", {}, "It wrote no lines that are still kept.")));
  } catch (problem) {
    holder()?.replaceChildren(h("p", { class: "problem" }, problem.message));
  }
}

function told({ time, level, event, run_id: _run, job: _job, ...rest }) {
  const shown = Object.entries(rest).filter(([, value]) => value !== null && value !== "").map(([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`);
  return `${time ? time.slice(11, 23) : ""} ${level || ""} ${event || ""}  ${shown.join("  ")}`;
}

/** Open to a run, as a link says. */
export async function openTo(id, job = null) {
  const name = job || runs.find((run) => run.id === id)?.job || (await ask(`runs/${encodeURIComponent(id)}`).catch(() => null))?.run.job;
  if (!name || !made.has(name)) return;
  openRun = id;
  toggle(name, true);
  await show(id);
  made.get(name).item.scrollIntoView({ block: "nearest" });
}

export const fromAddress = () => addressed().get("run");

$("hours").addEventListener("change", read);
