// Searching, sorting and paging without a page load: the same URLs, the same fragments, the address bar kept true.

import { settle } from "./hold.js";
import { connected } from "./live.js";
import { fetchFragment, patch } from "./patch.js";
import { toast } from "./toast.js";

const PAUSE = 300;
const PATIENCE = 250;

let latest = 0;
let waiting = 0;

export function startNavigation() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-soft]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.href, true);
  });
  const form = document.querySelector("form[data-search]");
  if (form) startSearch(form);
}

function startSearch(form) {
  let timer = 0;
  const search = (push) => {
    clearTimeout(timer);
    const url = new URL(form.action);
    url.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value)).toString();
    go(url.href, push);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE, false);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search(true);
  });
}

async function go(href, push) {
  const mine = ++latest;
  clearTimeout(waiting);
  waiting = setTimeout(showBusy, PATIENCE, true);
  try {
    const fragment = await fetchFragment(href);
    if (mine !== latest) return;
    connected(true);
    if (!push && fragment.querySelector("form[data-search] [aria-invalid]")) {
      // Half a search is no reason to take the list away from somebody who still writes.
      patch(fragment, (region) => region.id === "filters");
      syncForm(fragment);
      return;
    }
    const follows = fragment.querySelector("#results[data-rows]") !== null;
    if (follows && !document.body.dataset.stream && document.querySelector("#results[data-still]")) {
      location.assign(href); // The page was opened at a list that does not follow, and has no stream.
      return;
    }
    history[push && href !== location.href ? "pushState" : "replaceState"](null, "", href);
    patch(fragment);
    settle();
    syncForm(fragment);
  } catch (error) {
    if (mine !== latest) return;
    if (error.status) {
      location.assign(href); // The answer is another page, which says itself what it is.
    } else {
      connected(false);
      toast("Flower does not answer.", "bad");
    }
  } finally {
    if (mine === latest) {
      clearTimeout(waiting);
      showBusy(false);
    }
  }
}

/** Some searches take a second: that one is under way is seen, and heard by those who do not see it. */
function showBusy(busy) {
  if (busy) document.getElementById("announcer").textContent = "Looking…";
  document.body.toggleAttribute("data-busy", busy);
  document.getElementById("results")?.setAttribute("aria-busy", String(busy));
}

/** Chips and links change what the search box stands for. */
function syncForm(fragment) {
  const form = document.querySelector("form[data-search]");
  const next = fragment.querySelector("form[data-search]");
  if (!form || !next) return;
  const box = form.querySelector("input[type=search]");
  const nextBox = next.querySelector("input[type=search]");
  if (box !== document.activeElement) box.value = nextBox.value;
  if (nextBox.hasAttribute("aria-invalid")) box.setAttribute("aria-invalid", "true");
  else box.removeAttribute("aria-invalid");
  const hidden = (of) => [...of.querySelectorAll("input[type=hidden]")];
  hidden(form).forEach((input) => input.remove());
  form.append(...hidden(next).map((input) => document.adoptNode(input)));
}

addEventListener("popstate", () => location.reload());
