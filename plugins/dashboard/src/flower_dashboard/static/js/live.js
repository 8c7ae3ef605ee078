// Keeps a page current: one stream that says what changed, then the page's own fragment, at most twice a second.

import { holding, offer, settle } from "./hold.js";
import { fetchFragment, patch } from "./patch.js";

const PAUSE = 500;
const RETRY = 3000;

let source = null;
let timer = 0;
let last = 0;
let busy = false;
let again = false;

/** Fetch and show the page as it is now, soon; calls in between count as one. */
export function refresh() {
  if (busy) {
    again = true;
    return;
  }
  if (timer) return;
  timer = setTimeout(run, Math.max(0, last + PAUSE - Date.now()));
}

export function startLive() {
  const stream = document.body.dataset.stream;
  if (!stream) return;
  const follow = () => (document.hidden ? close() : open(stream));
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && follow());
  follow();
}

async function run() {
  timer = 0;
  busy = true;
  try {
    const href = location.href;
    const fragment = await fetchFragment(href);
    connected(true);
    if (href !== location.href) {
      again = true; // The reader went on meanwhile: this is yesterday's page.
    } else if (!holding() || !offer(fragment, patch)) {
      patch(fragment);
      settle();
    }
  } catch (error) {
    connected(false);
    if (error.gone) close();
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
  if (source) return;
  source = new EventSource(stream);
  source.addEventListener("change", refresh);
  source.addEventListener("open", () => connected(true));
  source.addEventListener("error", () => {
    // A clean end reconnects by itself; a refusal does not, and needs another try.
    if (source?.readyState !== EventSource.CLOSED) {
      setTimeout(() => source?.readyState === EventSource.CONNECTING && connected(false), RETRY);
      return;
    }
    close();
    connected(false);
    setTimeout(() => document.hidden || open(stream), RETRY);
  });
}

function close() {
  source?.close();
  source = null;
}

function connected(yes) {
  document.getElementById("connection-lost").hidden = yes;
}
