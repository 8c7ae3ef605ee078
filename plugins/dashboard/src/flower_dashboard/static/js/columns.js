// Columns of one's own: chosen and moved in the menu, dragged in the table's head, kept in this browser.

import { fetchFragment, patch } from "./patch.js";

const KEY = "flower-tasks-columns";

const root = document.documentElement;
const list = () => document.getElementById("column-list");
const shown = () => [...document.querySelectorAll("#results th[data-column]")].map((head) => head.dataset.column);

let dragged = null;

export function startColumns() {
  const menu = list();
  if (!menu) return;
  const own = root.dataset.columns?.split(",");
  if (own && String(own) !== String(shown())) show(own);
  else root.dataset.ready = "";
  if (own) arrange(own);
  menu.addEventListener("change", () => {
    const columns = checked();
    arrange(columns); // What is shown stands together, so that one step in the menu is one in the table.
    keep(columns);
  });
  menu.addEventListener("click", move);
  document.getElementById("columns-reset").addEventListener("click", reset);
  for (const [name, act] of [
    ["dragstart", pick],
    ["dragover", over],
    ["drop", drop],
    ["dragend", settle],
  ]) {
    document.addEventListener(name, act);
  }
  document.addEventListener("keydown", shift);
  document.addEventListener("flower:patched", prepare);
  prepare();
}

/** Heads and entries can be dragged; a link's own dragging would get in the way. */
function prepare() {
  for (const each of document.querySelectorAll("#results th[data-column], #column-list li")) each.draggable = true;
  for (const link of document.querySelectorAll("#results th[data-column] a")) {
    link.draggable = false;
    link.title = "Click to sort. Drag, or Shift with an arrow key, moves the column.";
  }
}

function checked() {
  return [...list().children].filter((item) => item.querySelector("input").checked).map((item) => item.dataset.column);
}

/** Bring the menu into the order of the table. */
function arrange(columns) {
  const items = new Map([...list().children].map((item) => [item.dataset.column, item]));
  for (const [slug, item] of items) item.querySelector("input").checked = columns.includes(slug);
  const rest = [...items.keys()].filter((slug) => !columns.includes(slug));
  const focused = document.activeElement;
  list().append(...[...columns, ...rest].map((slug) => items.get(slug)).filter(Boolean));
  if (list().contains(focused)) focused.focus();
}

async function keep(columns) {
  if (!columns.length) {
    arrange(shown()); // A table needs a column.
    return;
  }
  root.dataset.columns = columns.join(",");
  try {
    localStorage.setItem(KEY, root.dataset.columns);
  } catch {
    // Storage is blocked: the choice holds until the page is left.
  }
  await show(columns);
}

async function reset() {
  delete root.dataset.columns;
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
  await show(null);
  arrange(shown());
}

async function show(columns) {
  const url = new URL(location.href);
  if (url.searchParams.has("columns")) {
    url.searchParams.delete("columns"); // The reader's own choice goes before that of a link.
    history.replaceState(null, "", url);
    document.querySelector("form[data-search] input[name=columns]")?.remove();
  }
  if (columns) root.dataset.columns = columns.join(",");
  try {
    patch(await fetchFragment(url.href));
  } finally {
    root.dataset.ready = "";
  }
}

function move(event) {
  const button = event.target.closest("[data-move]");
  if (!button) return;
  const item = button.closest("li");
  const up = button.dataset.move === "-1";
  const other = up ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  if (up) other.before(item);
  else other.after(item);
  button.focus();
  say(item);
  keep(checked());
}

/** Shift and an arrow key on a column's head. */
function shift(event) {
  const head = event.target.closest?.("#results th[data-column]");
  if (!head || !event.shiftKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  event.preventDefault();
  const columns = shown();
  const slug = head.dataset.column; // The element itself may stand for another column afterwards.
  const from = columns.indexOf(slug);
  const to = from + (event.key === "ArrowLeft" ? -1 : 1);
  if (to < 0 || to >= columns.length) return;
  place(columns, from, to).then(() => {
    document.querySelector(`#results th[data-column="${slug}"] a`)?.focus();
  });
}

async function place(columns, from, to) {
  const slug = columns[from];
  columns.splice(from, 1);
  columns.splice(to, 0, slug);
  arrange(columns);
  say(list().querySelector(`[data-column="${slug}"]`));
  await keep(columns);
}

function say(item) {
  const place = [...list().children].indexOf(item) + 1;
  document.getElementById("announcer").textContent = `${item.textContent.trim().split("Move")[0]}: place ${place}`;
}

const placeOf = (target) => target.closest?.("#results th[data-column], #column-list li");

function pick(event) {
  const each = placeOf(event.target);
  if (!each) return;
  dragged = each;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", each.dataset.column);
}

function over(event) {
  const each = placeOf(event.target);
  if (!dragged || !each || each.tagName !== dragged.tagName) return;
  event.preventDefault();
  for (const marked of document.querySelectorAll(".drop-here")) marked.classList.remove("drop-here");
  if (each !== dragged) each.classList.add("drop-here");
}

function drop(event) {
  const each = placeOf(event.target);
  if (!dragged || !each || each.tagName !== dragged.tagName) return;
  event.preventDefault();
  const moved = dragged;
  settle();
  if (each === moved) return;
  if (each.tagName === "TH") {
    const columns = shown();
    place(columns, columns.indexOf(moved.dataset.column), columns.indexOf(each.dataset.column));
    return;
  }
  const items = [...list().children];
  if (items.indexOf(moved) < items.indexOf(each)) each.after(moved);
  else each.before(moved);
  keep(checked());
}

function settle() {
  dragged = null;
  for (const marked of document.querySelectorAll(".drop-here")) marked.classList.remove("drop-here");
}
