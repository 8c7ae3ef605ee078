// The one place where text becomes elements: fragments this server rendered, from this origin, escaped there.

/* global Idiomorph */

const KEEP_OPEN = new Set(["DETAILS", "DIALOG"]);

/**
 * Fetch a page's changing part: `now` after an order, when half a second ago is too old; by POST where there is a
 * `body`. Throws with `gone` set when the answer is not that page any more.
 */
export async function fetchFragment(href, { now = false, body = undefined } = {}) {
  const url = new URL(href, location.href);
  if (url.origin !== location.origin) throw new Error("not this origin");
  url.searchParams.set("fragment", "1");
  const { columns } = document.documentElement.dataset;
  if (columns && url.pathname === location.pathname) url.searchParams.set("own", columns); // On the page that has any.
  url.hash = "";
  const response = await fetch(url, {
    method: body ? "POST" : "GET",
    body,
    headers: { Accept: "text/html", ...(now && { "Cache-Control": "no-cache" }) },
    credentials: "same-origin",
  });
  if (!response.ok || response.redirected) {
    throw Object.assign(new Error(`HTTP ${response.status}`), { gone: true, status: response.status });
  }
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** Bring the live regions of this page to the state of a fragment's; focus, selection and open details stay. */
export function patch(fragment, accept = () => true) {
  for (const next of fragment.querySelectorAll("[data-live]")) {
    const current = document.getElementById(next.id);
    if (!current || !accept(current)) continue;
    morph(current, next);
  }
  document.dispatchEvent(new Event("flower:patched"));
}

/** Bring single elements to the state of others, which come from a fragment. */
export function patchEach(pairs) {
  for (const [current, next] of pairs) morph(current, next.cloneNode(true));
  document.dispatchEvent(new Event("flower:patched"));
}

function morph(current, next) {
  Idiomorph.morph(current, next, {
    // Of the element with the focus it would leave out the contents as well: a link's or a button's have to follow.
    ignoreActiveValue: Boolean(document.activeElement?.matches("input, textarea")),
    restoreFocus: true,
    callbacks: {
      beforeNodeMorphed: (old, fresh) => {
        // What a reader ticked, chose or typed since the page was drawn is his.
        if (old.matches?.("input[type=checkbox]")) fresh.checked = old.checked;
        if (old.matches?.("select")) return false;
        return true;
      },
      beforeAttributeUpdated: (name, element) =>
        !(name === "open" && KEEP_OPEN.has(element.tagName)) && !element.hasAttribute("data-own"),
    },
  });
}

/** Put the contents of a fragment's <main> into an element. */
export function adoptMain(fragment, element) {
  const main = fragment.getElementById("main");
  element.replaceChildren(...[...main.childNodes].map((node) => document.adoptNode(node)));
}
