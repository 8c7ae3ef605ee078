// Short messages in the corner; bad news and what can be taken back stay longer.

const STAY = { ok: 5000, bad: 10000 };

/** Show a message; `undo` is what its button does. */
export function toast(text, tone, undo) {
  const place = document.getElementById("toasts");
  const note = document.createElement("p");
  note.className = `toast toast-${tone}`;
  note.textContent = text;
  if (undo) {
    const button = document.createElement("button");
    button.className = "button small";
    button.type = "button";
    button.textContent = "Undo";
    button.addEventListener("click", undo, { once: true });
    note.append(" ", button);
  }
  place.append(note);
  const timer = setTimeout(() => note.remove(), undo ? STAY.bad : STAY[tone]);
  note.addEventListener("click", () => {
    clearTimeout(timer);
    note.remove();
  });
}
