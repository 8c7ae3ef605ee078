// Small things a page does better with script: copies are made, popovers close, news is told.

const POPOVERS = "details[data-popover][open]";
const QUIET = 15000;

let said = "";
let saidAt = 0;

export function startDetails() {
  document.addEventListener("flower:patched", announce);
  document.addEventListener("click", copy);
  document.addEventListener("click", closePopovers);
  document.addEventListener("keydown", escape);
  dropFlash();
  showPlace();
  said = news();
}

/** On a small screen the navigation may be longer than the line. */
function showPlace() {
  const nav = document.querySelector(".nav");
  const here = nav?.querySelector("[aria-current]");
  if (here) nav.scrollLeft = here.offsetLeft - nav.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
}

async function copy(event) {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  const { toast } = await import("./toast.js");
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.", "ok");
  } catch {
    toast("The browser does not allow copying here.", "bad");
  }
}

function closePopovers(event) {
  for (const open of document.querySelectorAll(POPOVERS)) {
    if (!open.contains(event.target)) open.open = false;
  }
}

function escape(event) {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll(POPOVERS)) {
    open.open = false;
    if (open.contains(document.activeElement)) open.querySelector("summary").focus();
  }
}

/** A reload or a bookmark should not repeat what was said after an action. */
function dropFlash() {
  const url = new URL(location.href);
  if (!url.searchParams.has("flash")) return;
  url.searchParams.delete("flash");
  url.searchParams.delete("target");
  history.replaceState(null, "", url);
}

function news() {
  return document.querySelector("[data-announce]")?.dataset.announce ?? "";
}

function announce() {
  const text = news();
  if (text === said || Date.now() - saidAt < QUIET) return;
  said = text;
  saidAt = Date.now();
  document.getElementById("announcer").textContent = text;
}
