// Workers picked for one order: the form sends them, this counts them.

import { showHead, startPicks } from "./picks.js";

export function startWorkerPicks() {
  if (document.querySelector("form[data-select]")) startPicks(count);
}

function count() {
  const number = showHead();
  const note = document.querySelector("[data-picked]");
  if (note) note.textContent = number ? `${number} chosen` : "";
}
