// Points in time: in the zone and the form that the reader chose, and ages that stay true between two refreshes.

const TICK = 5000;
const DAY = 86400;
const KEYS = { zone: "flower-zone", times: "flower-times" };
const UNITS = [
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

let zone = "";
let relative = false;
let formats = null;

export function startClock() {
  const choices = ["zone", "times"].map((id) => document.getElementById(id)).filter(Boolean);
  const read = () => {
    for (const select of choices) {
      const kept = stored(KEYS[select.id]);
      select.value = kept ?? select.dataset.default ?? "";
      if (select.selectedIndex < 0) select.selectedIndex = 0;
    }
    set();
  };
  for (const select of choices) {
    select.addEventListener("change", () => {
      keep(KEYS[select.id], select.value === (select.dataset.default ?? "") ? null : select.value);
      set();
    });
  }
  addEventListener("storage", read);
  document.addEventListener("flower:patched", () => {
    if (formats) draw();
  });
  setInterval(age, TICK);
  read();
}

function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // Storage is blocked: what the server wrote stands.
  }
}

function keep(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
}

/** Take over what the selects say; as long as they say what the server did, its text is left alone. */
function set() {
  const zones = document.getElementById("zone");
  const times = document.getElementById("times");
  if (!zones || !times) return;
  const changed = formats !== null;
  zone = zones.value;
  relative = times.value === "relative";
  if (!changed && zone === "" && times.value === times.dataset.default) return;
  const timeZone = zone === "local" ? undefined : zone || zones.dataset.zone;
  try {
    formats = {
      day: new Intl.DateTimeFormat("sv-SE", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }),
      time: new Intl.DateTimeFormat("sv-SE", { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit" }),
      zone: new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "short" }),
    };
  } catch {
    return; // A zone that this browser does not know.
  }
  draw();
}

function draw() {
  for (const element of document.querySelectorAll("time[data-time], time[data-moment], time[data-clock]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const day = formats.day.format(moment);
    const time = `${formats.time.format(moment)}.${String(moment.getMilliseconds()).padStart(3, "0")}`;
    const name = formats.zone.formatToParts(moment).find((part) => part.type === "timeZoneName")?.value ?? "";
    const whole = `${day} ${time} ${name}`.trim();
    if (element.hasAttribute("data-clock")) {
      element.textContent = time.slice(0, 5);
      continue;
    }
    if (element.hasAttribute("data-moment")) {
      element.textContent = whole;
      continue;
    }
    element.title = whole;
    if (relative && tell(element)) continue;
    const date = document.createElement("span");
    date.className = "day";
    date.textContent = day;
    element.replaceChildren(date, ` ${time}`);
  }
}

function age() {
  for (const element of document.querySelectorAll("time[data-relative]")) tell(element);
  if (relative) {
    for (const element of document.querySelectorAll("time[data-time]")) tell(element);
  }
  for (const element of document.querySelectorAll("time[data-left]")) {
    const seconds = Math.ceil((Date.parse(element.dateTime) - Date.now()) / 1000);
    element.textContent = seconds > 0 ? duration(seconds) : "due";
  }
  for (const element of document.querySelectorAll("time[data-since]")) {
    const seconds = Math.floor((Date.now() - Date.parse(element.dateTime)) / 1000);
    if (seconds >= 0) element.textContent = duration(seconds);
  }
}

/** Write how long ago it was; false for what lies ahead or more than a day back, which an age does not tell. */
function tell(element) {
  const seconds = (Date.now() - Date.parse(element.dateTime)) / 1000;
  if (!(seconds >= 0 && seconds < DAY)) return false;
  const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [1, ""];
  const amount = Math.floor(seconds / size);
  element.textContent = unit ? `${amount} ${unit}${amount > 1 ? "s" : ""} ago` : "now";
  return true;
}

function duration(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const rest = `${two(seconds % 60)}s`;
  return minutes < 60 ? `${minutes}m ${rest}` : `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m ${rest}`;
}
