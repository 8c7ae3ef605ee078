// The keyboard: / search, ? help, g and a letter for pages, j and k for rows.

const CHORD = 1000;

let chord = 0;

export function startKeys() {
  const help = document.getElementById("help");
  document.getElementById("help-button")?.addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog[open]")) return;
    if (press(event.key, help)) event.preventDefault();
  });
}

function press(key, help) {
  const afterG = Date.now() - chord < CHORD;
  chord = 0;
  const page = afterG && /^[a-z]$/.test(key) ? document.querySelector(`.nav a[data-key="${key}"]`) : null;
  if (page) {
    location.assign(page.href);
    return true;
  }
  if (key === "g") {
    chord = Date.now();
    return true;
  }
  if (key === "?") {
    help.showModal();
    return true;
  }
  if (key === "/") {
    const box = document.querySelector("form[data-search] input[type=search]");
    box?.select();
    box?.focus();
    return box !== null;
  }
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
  return false;
}

function step(by) {
  const rows = [...document.querySelectorAll("a[data-row]")];
  if (!rows.length) return false;
  const at = rows.findIndex((row) => row.closest("tr") === document.activeElement?.closest("tr"));
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1);
  rows[next].focus();
  return true;
}
