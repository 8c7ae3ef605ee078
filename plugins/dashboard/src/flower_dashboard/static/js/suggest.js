// Suggestions below the search box: fields, and values that kept tasks have. Arrows choose, Enter or Tab takes.

const PAUSE = 120;

let box = null;
let panel = null;
let answer = null;
let chosen = -1;
let timer = 0;
let latest = 0;

export function startSuggestions() {
  box = document.querySelector("input[data-suggest]");
  if (!box) return;
  panel = document.createElement("ul");
  panel.id = "suggestions";
  panel.className = "suggestions";
  panel.setAttribute("role", "listbox");
  panel.setAttribute("aria-label", "Suggestions");
  panel.hidden = true;
  box.form.append(panel);
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", panel.id);
  box.addEventListener("focus", prepare);
  box.addEventListener("input", soon);
  box.addEventListener("click", soon);
  box.addEventListener("keydown", press);
  box.addEventListener("blur", close);
  box.form.addEventListener("submit", close);
  panel.addEventListener("mousedown", (event) => {
    event.preventDefault(); // The box keeps the focus.
    const item = event.target.closest("li");
    if (item) take([...panel.children].indexOf(item));
  });
}

/** Flower can begin to make a search ready while somebody still writes it. */
function prepare() {
  fetch(box.dataset.suggest, { credentials: "same-origin" }).catch(() => {});
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(load, PAUSE);
}

async function load() {
  const mine = ++latest;
  const url = new URL(box.dataset.suggest, location.href);
  url.searchParams.set("search", box.value);
  url.searchParams.set("caret", box.selectionStart ?? box.value.length);
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (!response.ok || mine !== latest || document.activeElement !== box) return;
    answer = await response.json();
  } catch {
    return; // The page says elsewhere that Flower does not answer.
  }
  if (mine === latest) show();
}

function show() {
  chosen = -1;
  box.removeAttribute("aria-activedescendant");
  panel.replaceChildren(
    ...answer.items.map((item, place) => {
      const line = document.createElement("li");
      line.id = `suggestion-${place}`;
      line.setAttribute("role", "option");
      line.setAttribute("aria-selected", "false");
      const label = document.createElement("span");
      label.textContent = item.label;
      const hint = document.createElement("span");
      hint.className = "muted num";
      hint.textContent = item.hint;
      line.append(label, hint);
      return line;
    }),
  );
  panel.hidden = !answer.items.length;
}

function press(event) {
  if (panel.hidden) {
    if (event.key === "ArrowDown") load();
    return;
  }
  if (event.key === "ArrowDown") choose(chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen - 1);
  else if (event.key === "Escape") close();
  else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) take(chosen);
  else return;
  event.preventDefault();
}

function choose(place) {
  const items = [...panel.children];
  chosen = (place + items.length) % items.length;
  items.forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
  box.setAttribute("aria-activedescendant", items[chosen].id);
  items[chosen].scrollIntoView({ block: "nearest" });
}

function take(place) {
  const { start, end, items } = answer;
  const { insert } = items[place];
  const rest = box.value.slice(end).replace(/^ /, insert.endsWith(" ") ? "" : " ").trimEnd();
  box.value = box.value.slice(0, start) + insert + rest;
  box.setSelectionRange(start + insert.length, start + insert.length);
  close();
  box.dispatchEvent(new Event("input", { bubbles: true })); // Searches, and suggests what comes next.
}

function close() {
  clearTimeout(timer);
  latest += 1;
  panel.hidden = true;
  chosen = -1;
  box.removeAttribute("aria-activedescendant");
}
