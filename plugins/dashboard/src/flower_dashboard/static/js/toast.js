// Short messages in the corner; bad news stays longer.

const STAY = { ok: 5000, bad: 10000 };

export function toast(text, tone) {
  const place = document.getElementById("toasts");
  const note = document.createElement("p");
  note.className = `toast toast-${tone}`;
  note.textContent = text;
  place.append(note);
  const timer = setTimeout(() => note.remove(), STAY[tone]);
  note.addEventListener("click", () => {
    clearTimeout(timer);
    note.remove();
  });
}
