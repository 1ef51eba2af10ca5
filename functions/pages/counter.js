// Keeps a page's figures fresh while it is looked at, and draws how they rose since it was opened.

const SOONEST = 2000; // milliseconds between two looks while visits come in
const LATEST = 10000; // and after a while without any
const KEPT = 120; // points of the trend
const WIDTH = 600;
const HEIGHT = 96;
const EDGE = 4;

const main = document.querySelector("[data-live]");
const watched = main.dataset.live;
const points = [{ at: Date.now(), value: Number(main.dataset.value) }];
let pause = SOONEST;
let timer;

function show(name, text) {
  const place = document.getElementById(name);
  if (place && place.textContent !== text) place.textContent = text;
}

function update(answer) {
  const value = answer[watched];
  const last = points[points.length - 1];
  pause = value === last.value ? Math.min(LATEST, pause * 1.25) : SOONEST;
  points.push({ at: Date.now(), value });
  if (points.length > KEPT) points.splice(1, 1);
  for (const name of ["count", "total"]) {
    if (name in answer) show(name, answer[name].toLocaleString("en"));
  }
  document.getElementById("rebuilding")?.toggleAttribute("hidden", !answer.rebuilding);
  if (answer.asOf) {
    show("as-of", moment(answer.asOf));
    document.getElementById("as-of")?.setAttribute("datetime", answer.asOf);
    document.getElementById("as-of")?.parentElement.removeAttribute("hidden");
  }
}

// As the page says it when it is loaded.
function moment(text) {
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
  show("trend-text", `${visits.toLocaleString("en")} ${visits === 1 ? "visit" : "visits"} in the last ${time}`);
  document.getElementById("trend").removeAttribute("hidden");
}

function tell(text, lost = false) {
  show("state", text);
  document.getElementById("state").classList.toggle("lost", lost);
}

async function look() {
  clearTimeout(timer);
  if (document.visibilityState !== "visible") return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    update(await answer.json());
    draw();
    tell("Live");
  } catch {
    pause = LATEST;
    tell("Not reachable at the moment; trying again", true);
  }
  timer = setTimeout(look, pause);
}

document.addEventListener("visibilitychange", look);
timer = setTimeout(look, SOONEST);
tell("Live");
