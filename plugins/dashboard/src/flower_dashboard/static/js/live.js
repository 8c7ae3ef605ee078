// Keeps a page current: one stream that says what changed, then the page's own fragment, at most twice a second.

import { holding, offer, settle } from "./hold.js";
import { fetchFragment, patch } from "./patch.js";
import { follow } from "./stream.js";

const PAUSE = 500;

let close = null;
let timer = 0;
let last = 0;
let busy = false;
let again = false;
let ordered = false;

/** Fetch and show the page as it is now, soon; calls in between count as one. `now` after an order of one's own. */
export function refresh(now = false) {
  ordered ||= now;
  if (busy) {
    again = true;
    return;
  }
  if (timer) return;
  const pace = ordered ? PAUSE : Number(document.body.dataset.pace || PAUSE);
  timer = setTimeout(run, Math.max(0, last + pace - Date.now()));
}

export function startLive() {
  const stream = document.body.dataset.stream;
  if (!stream) return;
  const look = () => (document.hidden ? leave() : open(stream));
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && look());
  look();
  const every = Number(document.body.dataset.every);
  if (every) setInterval(() => document.hidden || refresh(), every);
}

async function run() {
  timer = 0;
  if (!ordered && document.querySelector("#results[data-still]")) return; // A page of the past, or of another order.
  busy = true;
  try {
    const href = location.href;
    const now = ordered;
    ordered = false;
    const { columns } = document.documentElement.dataset;
    const fragment = await fetchFragment(href, { now });
    connected(true);
    if (href !== location.href || columns !== document.documentElement.dataset.columns) {
      again = true; // The reader went on meanwhile: this is yesterday's page.
    } else if (!holding() || !offer(fragment, patch)) {
      patch(fragment);
      settle();
    }
  } catch (error) {
    if (error.status === 401) {
      leave();
      location.reload(); // The session has ended: the page itself leads to the login and back.
      return;
    }
    if (error.gone) leave();
    if (error.status === 404) announceGone();
    else connected(false);
  } finally {
    busy = false;
    last = Date.now();
    if (again) {
      again = false;
      refresh();
    }
  }
}

function open(stream) {
  const topics = new URL(stream, location.href).searchParams.get("topics").split(",");
  close ??= follow(stream, topics, { changed: () => refresh(), connected });
}

function leave() {
  close?.();
  close = null;
}

/** Say whether Flower answers; when it does again, the page is brought up to date. */
export function connected(yes) {
  const banner = document.getElementById("connection-lost");
  const before = banner.hidden;
  banner.hidden = yes;
  const badge = document.querySelector("#freshness > summary");
  if (!yes && badge) {
    badge.className = "fresh fresh-bad"; // The next fragment puts it right again.
    badge.querySelector("span").textContent = "No answer";
  } else if (yes && !before && close) {
    refresh();
  }
}

/** What the page is about was removed, or made room for something newer. */
function announceGone() {
  const banner = document.getElementById("connection-lost");
  banner.querySelector("span").textContent = "Flower no longer knows this. The page shows what it knew last.";
  banner.hidden = false;
}
