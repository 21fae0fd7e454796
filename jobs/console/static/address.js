// What stands behind the `#` of the address: `signal=…&run=…&direction=down`, so that any of it can be sent to someone.

export function addressed() {
  const said = location.hash.slice(1);
  return new URLSearchParams(said.includes("=") ? said : "");
}

/** Put these into the address, or take them out where null; no step in the browser's history. */
export function remember(values) {
  const said = addressed();
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "") said.delete(name);
    else said.set(name, value);
  }
  history.replaceState(null, "", said.size ? `#${said}` : location.pathname);
}
