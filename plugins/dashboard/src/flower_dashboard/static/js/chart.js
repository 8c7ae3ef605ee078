// Charts tell their numbers under the pointer and by the arrow keys. A stretch of time that is drawn over leads to its
// tasks, and so does Enter on a bar.

const LEAST = 2;
const PLOT = "[data-chart] .plot";
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
const ENDS = { Home: 0, End: Infinity };

let from = null;

export function startCharts() {
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerdown", (event) => {
    const place = under(event);
    if (!place || event.button || !place.chart.dataset.href) return;
    event.preventDefault();
    from = place;
  });
  document.addEventListener("pointerup", (event) => {
    const place = under(event);
    if (from && place?.chart.id === from.chart.id && Math.abs(place.bucket - from.bucket) >= LEAST) open(from, place);
    from = null;
    mark(null);
  });
  document.addEventListener("pointerleave", hide);
  document.addEventListener("keydown", press);
  document.addEventListener("focusout", hide);
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches(PLOT)) step(target, Number(target.ariaValueNow));
  });
  document.addEventListener("flower:patched", () => {
    hide();
    equip();
    const plot = document.activeElement;
    if (plot?.matches(PLOT)) step(plot, Number(plot.ariaValueNow));
  });
  equip();
}

/** Make each chart a slider over its bars; without script it is a picture. */
function equip() {
  for (const plot of document.querySelectorAll(PLOT)) {
    const { start, step: width } = plot.closest("[data-chart]").dataset;
    const kept = Math.round((Number(plot.dataset.at) - Number(start)) / Number(width));
    const now = plot.dataset.at ? Math.max(0, Math.min(kept, last(plot))) : last(plot);
    plot.tabIndex = 0;
    plot.role = "slider";
    plot.ariaLabel = plot.querySelector("svg").getAttribute("aria-label");
    plot.ariaValueMin = 0;
    plot.ariaValueMax = last(plot);
    say(at(plot, now));
  }
}

function press(event) {
  const plot = event.target.closest(PLOT);
  if (!plot || event.ctrlKey || event.metaKey || event.altKey) return;
  const place = at(plot, Number(plot.ariaValueNow));
  if (event.key in STEPS) step(plot, place.bucket + STEPS[event.key]);
  else if (event.key in ENDS) step(plot, ENDS[event.key]);
  else if (event.key === "Escape") hide();
  else if (event.key === "Enter" && place.chart.dataset.href) open(place, place);
  else return;
  event.preventDefault();
}

function step(plot, bucket) {
  const place = at(plot, Math.max(0, Math.min(bucket, last(plot))));
  say(place);
  const box = plot.querySelector("svg").getBoundingClientRect();
  tell(place, ((place.bucket + 0.5) / (last(plot) + 1)) * box.width);
  mark({ plot, one: place.bucket, other: place.bucket });
}

/** Bring what assistive technology reads to a bar. */
function say(place) {
  place.plot.ariaValueNow = place.bucket;
  // Bars move while time goes on; the last one stays the last.
  place.plot.dataset.at = place.bucket < last(place.plot) ? begin(place, place.bucket) / 1000 : "";
  place.plot.ariaValueText = [moment(place), ...lines(place)].join(", ");
}

function under(event) {
  const plot = event.target.closest?.(PLOT);
  if (!plot) return null;
  const box = plot.querySelector("svg").getBoundingClientRect();
  const bucket = Math.floor(((event.clientX - box.left) / box.width) * (last(plot) + 1));
  return at(plot, Math.max(0, Math.min(bucket, last(plot))));
}

function at(plot, bucket) {
  return { plot, bucket, chart: plot.closest("[data-chart]") };
}

function last(plot) {
  return Number(plot.closest("[data-chart]").dataset.count) - 1;
}

function move(event) {
  const place = under(event);
  if (!place) {
    if (!document.activeElement?.matches(PLOT)) hide();
    return;
  }
  if (from && from.chart.id === place.chart.id) mark({ plot: place.plot, one: from.bucket, other: place.bucket });
  tell(place, event.clientX - place.plot.getBoundingClientRect().left);
}

function tell(place, left) {
  const note = tip(place.plot);
  const title = document.createElement("strong");
  title.textContent = moment(place);
  note.replaceChildren(title);
  for (const words of lines(place)) {
    const line = document.createElement("span");
    line.textContent = words;
    note.append(line);
  }
  note.hidden = false;
  note.style.left = `${Math.min(left + 12, place.plot.clientWidth - note.offsetWidth - 4)}px`;
}

function lines({ chart, bucket }) {
  const values = Object.entries(JSON.parse(chart.dataset.values)).reverse();
  const told = values.filter(([, row]) => row[bucket] !== null && row[bucket] !== "0");
  return told.length ? told.map(([label, row]) => `${label}: ${row[bucket]}`) : ["nothing"];
}

const begin = ({ chart }, bucket) => new Date((Number(chart.dataset.start) + bucket * Number(chart.dataset.step)) * 1000);

function moment(place) {
  const date = begin(place, place.bucket);
  const zones = document.getElementById("zone");
  const timeZone = zones?.value === "local" ? undefined : zones?.value || zones?.dataset.zone;
  try {
    return date.toLocaleTimeString("sv-SE", { timeZone });
  } catch {
    return date.toISOString().slice(11, 19);
  }
}

function tip(plot) {
  let note = plot.querySelector(".plot-note");
  if (!note) {
    note = document.createElement("p");
    note.className = "plot-note num";
    note.setAttribute("aria-hidden", "true");
    plot.append(note);
  }
  return note;
}

function hide() {
  for (const note of document.querySelectorAll(".plot-note")) note.hidden = true;
  if (!from) mark(null);
}

function mark(stretch) {
  for (const rect of document.querySelectorAll(".plot .brush")) rect.setAttribute("width", 0);
  if (!stretch) return;
  const rect = stretch.plot.querySelector(".brush");
  rect.setAttribute("x", Math.min(stretch.one, stretch.other));
  rect.setAttribute("width", Math.abs(stretch.other - stretch.one) + 1);
}

function open(one, other) {
  const [first, end] = [one.bucket, other.bucket].sort((a, b) => a - b);
  const iso = (bucket) => begin(one, bucket).toISOString().slice(0, 19);
  const url = new URL(one.chart.dataset.href, location.href);
  url.searchParams.set("search", `received:>=${iso(first)} received:<=${iso(end + 1)}`);
  location.assign(url);
}
