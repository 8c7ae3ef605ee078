// Tasks picked one by one stay picked from page to page of the same query.

import { ask } from "./actions.js";
import { boxes, forgetRange, showHead, startPicks } from "./picks.js";
import { toast } from "./toast.js";

const MOST = 1000;
const KEY = "flower-tasks-picked";

let picked = new Set();
let query = "";

export function startTaskPicks() {
  recall();
  startPicks(show, put);
  document.addEventListener("click", (event) => event.target.closest?.("#bulk-clear") && clear());
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "bulk") return;
    event.preventDefault();
    question(event.target, event.submitter);
  });
  document.addEventListener("flower:ordered", clear);
}

function put(uuid, yes) {
  if (!yes) picked.delete(uuid);
  else if (picked.size < MOST) picked.add(uuid);
  else toast(`${MOST} tasks are the most that can be selected one by one.`, "bad");
}

function clear() {
  picked.clear();
  forgetRange();
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
  for (const box of boxes()) {
    box.checked = picked.has(box.value);
    box.closest("tr").classList.toggle("picked", box.checked);
  }
  showHead();
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
