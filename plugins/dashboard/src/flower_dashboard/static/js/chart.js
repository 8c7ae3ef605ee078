// Charts tell their numbers under the pointer, and a stretch of time that is drawn over leads to its tasks.

const LEAST = 2;

let from = null;

export function startCharts() {
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerdown", (event) => {
    const place = at(event);
    if (!place || event.button || !place.chart.dataset.href) return;
    event.preventDefault();
    from = place;
  });
  document.addEventListener("pointerup", (event) => {
    const place = at(event);
    if (from && place?.chart.id === from.chart.id && Math.abs(place.bucket - from.bucket) >= LEAST) open(from, place);
    from = null;
    mark(null);
  });
  document.addEventListener("pointerleave", hide);
  document.addEventListener("flower:patched", hide);
}

function at(event) {
  const plot = event.target.closest?.("[data-chart] .plot");
  if (!plot) return null;
  const chart = plot.closest("[data-chart]");
  const box = plot.querySelector("svg").getBoundingClientRect();
  const count = Number(chart.dataset.count);
  const bucket = Math.min(count - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * count)));
  return { chart, plot, bucket, count };
}

function move(event) {
  const place = at(event);
  if (!place) {
    hide();
    return;
  }
  if (from && from.chart.id === place.chart.id) mark({ plot: place.plot, one: from.bucket, other: place.bucket });
  tell(place, event);
}

function tell({ chart, plot, bucket }, event) {
  const values = JSON.parse(chart.dataset.values);
  const lines = Object.entries(values).filter(([, row]) => row[bucket] !== null && row[bucket] !== "0");
  const note = tip(plot);
  const begin = new Date((Number(chart.dataset.start) + bucket * Number(chart.dataset.step)) * 1000);
  const title = document.createElement("strong");
  title.textContent = moment(begin);
  note.replaceChildren(title);
  for (const [label, row] of lines.reverse()) {
    const line = document.createElement("span");
    line.textContent = `${label}: ${row[bucket]}`;
    note.append(line);
  }
  if (!lines.length) note.append("nothing");
  const box = plot.getBoundingClientRect();
  const left = event.clientX - box.left;
  note.style.left = `${Math.min(left + 12, box.width - note.offsetWidth - 4)}px`;
  note.hidden = false;
}

function moment(date) {
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
}

function mark(stretch) {
  for (const rect of document.querySelectorAll(".plot .brush")) rect.setAttribute("width", 0);
  if (!stretch) return;
  const rect = stretch.plot.querySelector(".brush");
  rect.setAttribute("x", Math.min(stretch.one, stretch.other));
  rect.setAttribute("width", Math.abs(stretch.other - stretch.one) + 1);
}

function open(one, other) {
  const { start, step, href } = one.chart.dataset;
  const [first, last] = [one.bucket, other.bucket].sort((a, b) => a - b);
  const iso = (bucket) => new Date((Number(start) + bucket * Number(step)) * 1000).toISOString().slice(0, 19);
  const url = new URL(href, location.href);
  url.searchParams.set("search", `received:>=${iso(first)} received:<=${iso(last + 1)}`);
  location.assign(url);
}
