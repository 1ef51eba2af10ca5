// Updates a page's figures while the page is visible, and charts how they rose since it was opened.

const MIN_INTERVAL = 2000; // milliseconds between two requests while visits come in
const MAX_INTERVAL = 10000; // milliseconds between two requests after a while without visits
const MAX_POINTS = 120; // points of the chart
const WIDTH = 600;
const HEIGHT = 96;
const EDGE = 4;

const main = document.querySelector("[data-live]");
const field = main.dataset.live;
const points = [{ at: Date.now(), value: Number(main.dataset.value) }];
let interval = MIN_INTERVAL;
let timer;

function setText(id, text) {
  const element = document.getElementById(id);
  if (element && element.textContent !== text) element.textContent = text;
}

function update(answer) {
  const value = answer[field];
  const last = points[points.length - 1];
  interval = value === last.value ? Math.min(MAX_INTERVAL, interval * 1.25) : MIN_INTERVAL;
  points.push({ at: Date.now(), value });
  if (points.length > MAX_POINTS) points.splice(1, 1);
  for (const name of ["count", "total"]) {
    if (name in answer) setText(name, answer[name].toLocaleString("en"));
  }
  document.getElementById("rebuilding")?.toggleAttribute("hidden", !answer.rebuilding);
  if (answer.asOf) {
    setText("as-of", readableTime(answer.asOf));
    document.getElementById("as-of")?.setAttribute("datetime", answer.asOf);
    document.getElementById("as-of")?.parentElement.removeAttribute("hidden");
  }
}

// The format of `_moment` in templates.py.
function readableTime(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  return `${day}, ${at.toLocaleTimeString("en-GB", { timeZone: "UTC" })} UTC`;
}

function draw() {
  const first = points[0];
  const last = points[points.length - 1];
  const values = points.map((point) => point.value);
  const lowest = Math.min(...values);
  const span = Math.max(1, last.at - first.at);
  const rise = Math.max(1, Math.max(...values) - lowest);
  const x = (point) => (((point.at - first.at) / span) * WIDTH).toFixed(1);
  const y = (point) => (HEIGHT - EDGE - ((point.value - lowest) / rise) * (HEIGHT - 2 * EDGE)).toFixed(1);
  const line = `M${points.map((point) => `${x(point)} ${y(point)}`).join("L")}`;
  document.getElementById("trend-line").setAttribute("d", line);
  document.getElementById("trend-area").setAttribute("d", `${line}V${HEIGHT}H0Z`);
  document.getElementById("trend-end").setAttribute("d", `M${x(last)} ${y(last)}h0`);
  const seconds = Math.round((last.at - first.at) / 1000);
  const time = seconds < 90 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
  const visits = last.value - first.value;
  setText("trend-text", `${visits.toLocaleString("en")} ${visits === 1 ? "visit" : "visits"} in the last ${time}`);
  document.getElementById("trend").removeAttribute("hidden");
}

function setState(text, lost = false) {
  setText("state", text);
  document.getElementById("state").classList.toggle("lost", lost);
}

async function refresh() {
  clearTimeout(timer);
  if (document.visibilityState !== "visible") return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    update(await answer.json());
    draw();
    setState("Live");
  } catch {
    interval = MAX_INTERVAL;
    setState("Cannot reach the API; retrying", true);
  }
  timer = setTimeout(refresh, interval);
}

document.addEventListener("visibilitychange", refresh);
timer = setTimeout(refresh, MIN_INTERVAL);
setState("Live");
