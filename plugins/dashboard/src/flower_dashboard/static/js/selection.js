// Tasks picked one by one: with the mouse, Shift for a range, or j, k and x. They stay picked from page to page of
// the same query.

import { ask } from "./actions.js";
import { toast } from "./toast.js";

const MOST = 1000;
const KEY = "flower-tasks-picked";

let picked = new Set();
let last = null;
let query = "";

const boxes = () => [...document.querySelectorAll("#results tbody .pick input")];

export function startSelection() {
  document.addEventListener("click", (event) => {
    if (event.target.matches?.("#results tbody .pick input")) pick(event.target, event.shiftKey);
    else if (event.target.matches?.("#pick-all")) pickAll(event.target.checked);
    else if (event.target.closest?.("#bulk-clear")) clear();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog[open]")) return;
    event.target.closest("#results tbody tr")?.querySelector(".pick input").click();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "bulk") return;
    event.preventDefault();
    question(event.target, event.submitter);
  });
  document.addEventListener("flower:patched", show);
  document.addEventListener("flower:ordered", clear);
  recall();
  show();
}

function pick(box, range) {
  const all = boxes();
  const from = all.findIndex((each) => each.value === last);
  const to = all.indexOf(box);
  const [low, high] = range && from >= 0 ? [Math.min(from, to), Math.max(from, to)] : [to, to];
  for (const each of all.slice(low, high + 1)) put(each.value, box.checked);
  last = box.value;
  show();
}

function pickAll(yes) {
  for (const box of boxes()) put(box.value, yes);
  show();
}

function put(uuid, yes) {
  if (!yes) picked.delete(uuid);
  else if (picked.size < MOST) picked.add(uuid);
  else toast(`${MOST} tasks are the most that can be selected one by one.`, "bad");
}

function clear() {
  picked.clear();
  last = null;
  show();
}

function recall() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    picked = new Set(kept.uuids);
    query = kept.query ?? "";
  } catch {
    // Storage is blocked: the selection ends with the page.
  }
}

function remember() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ query, uuids: [...picked] }));
  } catch {
    // The same.
  }
}

/** Bring the page, which the server renders without knowing, to the state of the selection. */
function show() {
  const form = document.getElementById("bulk");
  if (form) {
    const now = [...form.querySelectorAll("input[type=hidden]")].map(({ name, value }) => `${name}=${value}`).join("&");
    if (now !== query) picked.clear(); // What was picked out of another list is out of sight.
    query = now;
    remember();
  }
  const all = boxes();
  for (const box of all) {
    box.checked = picked.has(box.value);
    box.closest("tr").classList.toggle("picked", box.checked);
  }
  const every = document.getElementById("pick-all");
  if (every) {
    const here = all.filter((box) => box.checked).length;
    every.checked = here > 0 && here === all.length;
    every.indeterminate = here > 0 && here < all.length;
  }
  const what = document.getElementById("bulk-what");
  if (!what) return;
  const words = picked.size ? `${picked.size} selected` : what.dataset.all;
  if (what.textContent !== words) what.textContent = words;
  document.getElementById("bulk-clear").hidden = !picked.size;
}

function question(form, submitter) {
  const body = new URLSearchParams(new FormData(form));
  body.delete("ids");
  if (picked.size) body.set("ids", [...picked].join("\n"));
  body.set("action", submitter.value);
  ask(form.getAttribute("action"), body); // `form.action` is the buttons of that name.
}
