// Rows must not move under a reader: while one is hovered, focused or picked, when the list is scrolled, or after
// Pause, news waits in a pill. Unless it is paused, rows that are there already still change where they stand.

import { patchEach } from "./patch.js";

const GRACE = 800;

let leaving = 0;
let paused = false;
let waiting = null;
let show = null;

const results = () => document.querySelector("#results[data-rows]");

/** Tell whether the table must stay as it is. */
export function holding() {
  const table = results();
  if (!table) return false;
  if (paused || leaving || table.querySelector("tbody:hover") || document.querySelector("#pill:hover")) return true;
  if (table.querySelector("tbody")?.contains(document.activeElement)) return true;
  if (table.querySelector(".pick input:checked") || table.getBoundingClientRect().top < 0) return true;
  const selection = getSelection();
  return !selection.isCollapsed && table.contains(selection.anchorNode);
}

/** Keep a fragment for later and say how many of its rows are new; false when there is no table to hold. */
export function offer(fragment, patch) {
  const table = results();
  const next = fragment.getElementById("results");
  if (!table || !next) return false;
  waiting = fragment;
  show = patch;
  patch(fragment, (region) => region !== table);
  const shown = new Map([...table.querySelectorAll("[data-task]")].map((row) => [row.id, row]));
  const rows = [...next.querySelectorAll("[data-task]")];
  const fresh = rows.filter((row) => !shown.has(row.id)).length;
  if (!paused && getSelection().isCollapsed) {
    patchEach(rows.filter((row) => shown.has(row.id)).map((row) => [shown.get(row.id), row]));
  }
  const pill = document.getElementById("pill");
  pill.hidden = fresh === 0;
  pill.textContent = `${fresh}${fresh === rows.length && fresh > 1 ? "+" : ""} new`;
  return true;
}

export function startHold() {
  const pill = document.getElementById("pill");
  if (!pill) return;
  pill.addEventListener("click", release);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#pause")) return;
    paused = !paused;
    label();
    if (!paused) release();
  });
  document.addEventListener("flower:patched", label);
  for (const name of ["pointerover", "focusin", "selectionchange", "scroll", "change"]) {
    document.addEventListener(name, leave, { passive: true });
  }
}

/** The button is drawn anew with the page, and is not there in a list that does not follow. */
function label() {
  const button = document.getElementById("pause");
  paused &&= button !== null;
  if (!button) return;
  button.setAttribute("aria-pressed", String(paused));
  button.querySelector("span").textContent = paused ? "Paused" : "Pause";
}

/** On its way from a row to the pill the pointer crosses the header: the pill must not vanish under it. */
function leave() {
  clearTimeout(leaving);
  leaving = 0;
  if (!waiting || holding()) return;
  leaving = setTimeout(() => {
    leaving = 0;
    if (!holding()) release();
  }, GRACE);
}

/** Forget what waits: the table shows something newer. */
export function settle() {
  waiting = null;
  const pill = document.getElementById("pill");
  if (pill) pill.hidden = true;
}

function release() {
  if (!waiting) return;
  const fragment = waiting;
  settle();
  show(fragment);
  if (results()?.getBoundingClientRect().top < 0) scrollTo({ top: 0 });
}
