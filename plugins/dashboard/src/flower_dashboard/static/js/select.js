// Rows that are chosen for one order: all at once, from one to another with Shift, by x on the row in focus.

let last = null;

export function startSelection() {
  const form = document.querySelector("form[data-select]");
  if (!form) return;
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-pick], [data-pick-all]");
    if (!box) return;
    if (box.hasAttribute("data-pick-all")) for (const each of boxes()) each.checked = box.checked;
    else if (event.shiftKey && last?.isConnected) fill(last, box);
    last = box.hasAttribute("data-pick") ? box : null;
    count();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog[open]")) return;
    document.activeElement?.closest("tr")?.querySelector("[data-pick]")?.click();
  });
  document.addEventListener("flower:patched", count);
  count();
}

function boxes() {
  return [...document.querySelectorAll("[data-pick]")];
}

function fill(from, to) {
  const all = boxes();
  const [first, end] = [all.indexOf(from), all.indexOf(to)].sort((one, other) => one - other);
  for (const each of all.slice(first, end + 1)) each.checked = to.checked;
}

function count() {
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  const note = document.querySelector("[data-picked]");
  if (note) note.textContent = chosen ? `${chosen} chosen` : "";
  const whole = document.querySelector("[data-pick-all]");
  if (whole) {
    whole.checked = chosen > 0 && chosen === all.length;
    whole.indeterminate = chosen > 0 && chosen < all.length;
  }
}
