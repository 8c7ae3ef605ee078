// Buttons without a page load: the question as a dialog, the order as a request, the answer as a toast.

import { refresh } from "./live.js";
import { adoptMain, fetchFragment } from "./patch.js";
import { toast } from "./toast.js";

const PATIENCE = 250;

export function startActions() {
  const dialog = document.getElementById("dialog");
  document.addEventListener("click", (event) => {
    const question = event.target.closest("a[data-confirm]");
    if (question && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      ask(question.href);
    } else if (dialog.open && (event.target === dialog || event.target.closest("[data-cancel]"))) {
      event.preventDefault();
      dialog.close();
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-download]")) setTimeout(() => dialog.close()); // The file comes beside the page.
    if (event.target.matches("form[data-ask]")) {
      event.preventDefault();
      const url = new URL(event.target.getAttribute("action"), location.href);
      url.search = new URLSearchParams(new FormData(event.target, event.submitter)).toString();
      ask(url.href);
      return;
    }
    if (!event.target.matches("form[data-action]")) return;
    event.preventDefault();
    send(event.target, event.submitter, dialog);
  });
}

/** Show a question as a dialog; one with a body has too much to say for a URL. */
export async function ask(href, body) {
  const dialog = document.getElementById("dialog");
  const waiting = setTimeout(() => document.body.toggleAttribute("data-busy", true), PATIENCE);
  try {
    adoptMain(await fetchFragment(href, { body }), dialog);
    dialog.showModal();
    dialog.querySelector("label > input, [data-cancel]")?.focus();
  } catch (error) {
    if (body) toast(error.status ? "Flower refuses this question." : "Flower does not answer.", "bad");
    else if (error.status === 400) toast("Choose first what the order is about.", "bad");
    else if (error.status) location.assign(href);
    else toast("Flower does not answer.", "bad");
  } finally {
    clearTimeout(waiting);
    document.body.removeAttribute("data-busy");
  }
}

// The attribute, because a field of the name `action` hides the property.
async function send(form, submitter, dialog) {
  if (submitter) submitter.disabled = true;
  try {
    const response = await fetch(submitter?.hasAttribute("formaction") ? submitter.formAction : form.getAttribute("action"), {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
      credentials: "same-origin",
    });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) {
      toast(answer.message ?? "Done.", answer.failed ? "bad" : "ok", answer.undo && (() => takeBack(answer.undo)));
      document.dispatchEvent(new Event("flower:ordered"));
    } else {
      toast(answer.error ?? `Refused with status ${response.status}.`, "bad");
    }
    if (response.ok && answer.next) {
      location.assign(answer.next);
      return;
    }
    if (dialog.open) dialog.close();
    else if (response.ok && form.hasAttribute("data-sheet")) history.back();
    refresh(true);
  } catch {
    toast("Flower does not answer.", "bad");
  } finally {
    if (submitter) submitter.disabled = false;
  }
}

/** Give the opposite order, which the answer to the first one names. */
async function takeBack({ href, fields }) {
  try {
    const response = await fetch(href, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(fields),
      credentials: "same-origin",
    });
    const answer = await response.json().catch(() => ({}));
    toast(response.ok ? "Undone." : (answer.error ?? `Refused with status ${response.status}.`), response.ok ? "ok" : "bad");
    refresh(true);
  } catch {
    toast("Flower does not answer.", "bad");
  }
}
