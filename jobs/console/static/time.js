// The service's time: ages and countdowns follow its clock, not that of the machine the page is looked at on.

let ahead = 0;

/** What time it was at the service just now. */
export function heard(at) {
  ahead = Date.parse(at) - Date.now();
}

export const now = () => Date.now() + ahead;

const two = (n) => String(n).padStart(2, "0");

/** `12:03:10`, with the day where it is not today; UTC. */
export function clock(at, seconds = true) {
  const moment = new Date(at);
  const day = moment.toISOString().slice(0, 10);
  const time = `${two(moment.getUTCHours())}:${two(moment.getUTCMinutes())}${seconds ? `:${two(moment.getUTCSeconds())}` : ""}`;
  return day === new Date(now()).toISOString().slice(0, 10) ? time : `${day} ${time}`;
}

export const day = (at) => new Date(at).toISOString().slice(5, 10);

/** `12 s`, `4 min`, `3 h`, `2 d`. */
export function long(seconds) {
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  }
  return `${Math.max(0, Math.floor(seconds))} s`;
}

export const ago = (at) => (at ? `${long((now() - Date.parse(at)) / 1000)} ago` : "never");

/** `42:10`, or `3 h 05 min`; the time left until a moment. */
export function left(until) {
  const s = Math.max(0, Math.round((Date.parse(until) - now()) / 1000));
  return s >= 3600 ? `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

export const due = (at) => (!at ? "–" : Date.parse(at) <= now() ? "now" : `in ${long((Date.parse(at) - now()) / 1000)}`);
