// What the page asks of its service, and the token for what changes something.

import { $ } from "./dom.js";

export const API = "/console/api";

export class Refused extends Error {
  constructor(status, said) {
    super(said);
    this.status = status;
  }
}

async function answer(response) {
  if (response.ok) return response.json();
  const told = await response.json().catch(() => ({}));
  throw new Refused(response.status, told.error || `${response.status} ${response.statusText}`);
}

/** What stands under a path of the API. Raises `Refused` with the service's own words. */
export async function ask(path) {
  return answer(await fetch(`${API}/${path}`, { headers: { Accept: "application/json" } }));
}

/** Change something. Asks for the token where the service wants it; null where whoever was asked would not say. */
export async function change(path) {
  for (;;) {
    try {
      return await answer(await fetch(`${API}/${path}`, { method: "POST", headers: { "X-Signals": "1" } }));
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.status !== 401) throw problem;
      if (!(await logIn())) return null;
    }
  }
}

function logIn() {
  const dialog = $("login");
  const form = dialog.querySelector("form");
  const problem = dialog.querySelector(".problem");
  problem.textContent = "";
  form.reset();
  dialog.showModal();
  return new Promise((done) => {
    let ok = false;
    form.onsubmit = async (event) => {
      event.preventDefault();
      try {
        const headers = { "Content-Type": "application/json", "X-Signals": "1" };
        const body = JSON.stringify({ token: form.token.value.trim() });
        await answer(await fetch("/login", { method: "POST", headers, body }));
        ok = true;
        dialog.close();
      } catch (failed) {
        problem.textContent = failed.status === 401 ? "That is not the token." : failed.message;
      }
    };
    dialog.querySelector("[value=cancel]").onclick = () => dialog.close();
    dialog.onclose = () => {
      form.reset();
      done(ok);
    };
  });
}
