// Small things a page does better with script: controls that need it appear, copies are made, ages stay true.

const TICK = 5000;
const QUIET = 15000;
const UNITS = [
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

let said = "";
let saidAt = 0;

export function startDetails() {
  reveal();
  document.addEventListener("flower:patched", () => {
    reveal();
    announce();
  });
  document.addEventListener("click", copy);
  document.addEventListener("click", closePopovers);
  setInterval(age, TICK);
  dropFlash();
  said = news();
}

function reveal() {
  for (const element of document.querySelectorAll("[data-needs-script][hidden]")) element.hidden = false;
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
  for (const open of document.querySelectorAll("details.freshness[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
}

/** Between two refreshes "3 seconds ago" would grow false. */
function age() {
  for (const element of document.querySelectorAll("time[data-relative]")) {
    const seconds = (Date.now() - Date.parse(element.dateTime)) / 1000;
    if (seconds < 0 || seconds >= 86400) continue;
    const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [1, ""];
    const amount = Math.floor(seconds / size);
    element.textContent = unit ? `${amount} ${unit}${amount > 1 ? "s" : ""} ago` : "now";
  }
  for (const element of document.querySelectorAll("time[data-since]")) {
    const seconds = Math.floor((Date.now() - Date.parse(element.dateTime)) / 1000);
    if (seconds >= 0) element.textContent = duration(seconds);
  }
}

function duration(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const rest = `${two(seconds % 60)}s`;
  return minutes < 60 ? `${minutes}m ${rest}` : `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m ${rest}`;
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
