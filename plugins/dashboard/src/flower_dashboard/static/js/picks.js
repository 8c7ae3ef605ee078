// Rows picked one by one: with the mouse, Shift for a range, by x on the row in focus, or all that are shown.

let last = null;

export const boxes = () => [...document.querySelectorAll("tbody .pick input")];

/** Call `put` with the value and the state of each box that is picked or dropped, and `show` after anything changed. */
export function startPicks(show, put = () => {}) {
  document.addEventListener("click", ({ target, shiftKey }) => {
    const all = boxes();
    if (target.id === "pick-all") last = null;
    else if (!all.includes(target)) return;
    for (const box of target.id === "pick-all" ? all : range(all, target, shiftKey)) {
      box.checked = target.checked;
      put(box.value, target.checked);
    }
    if (target.id !== "pick-all") last = target.value;
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog[open]")) return;
    event.target.closest("tbody tr")?.querySelector(".pick input")?.click();
  });
  document.addEventListener("flower:patched", show);
  show();
}

/** The next Shift begins a range of its own. */
export function forgetRange() {
  last = null;
}

/** Bring the box above all to the state of those below, and return how many of them are picked. */
export function showHead() {
  const all = boxes();
  const number = all.filter((box) => box.checked).length;
  const head = document.getElementById("pick-all");
  if (head) {
    head.checked = number > 0 && number === all.length;
    head.indeterminate = number > 0 && number < all.length;
  }
  return number;
}

function range(all, box, wanted) {
  const from = all.findIndex((each) => each.value === last);
  const to = all.indexOf(box);
  const [low, high] = wanted && from >= 0 ? [Math.min(from, to), Math.max(from, to)] : [to, to];
  return all.slice(low, high + 1);
}
