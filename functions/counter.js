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
  if (answer.asOf) {
    show("as-of", answer.asOf);
    document.getElementById("as-of")?.setAttribute("datetime", answer.asOf);
    document.getElementById("as-of")?.parentElement.removeAttribute("hidden");
  }
}

function draw() {
  const first = points[0];
  const last = points[points.length - 1];
  const span = Math.max(1, last.at - first.at);
  const rise = Math.max(1, last.value - first.value);
  const x = (point) => (((point.at - first.at) / span) * WIDTH).toFixed(1);
  const y = (point) => (HEIGHT - EDGE - ((point.value - first.value) / rise) * (HEIGHT - 2 * EDGE)).toFixed(1);
  let line = `M0 ${y(first)}`;
  for (const point of points.slice(1)) line += `H${x(point)}V${y(point)}`;
  document.getElementById("trend-line").setAttribute("d", line);
  document.getElementById("trend-area").setAttribute("d", `${line}V${HEIGHT}H0Z`);
  const seconds = Math.round((last.at - first.at) / 1000);
  const time = seconds < 90 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
  const visits = last.value - first.value;
  show("trend-text", `${visits.toLocaleString("en")} ${visits === 1 ? "visit" : "visits"} in the last ${time}`);
  document.getElementById("trend").removeAttribute("hidden");
}

async function look() {
  clearTimeout(timer);
  if (document.visibilityState !== "visible") return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    update(await answer.json());
    draw();
    show("state", "Live");
  } catch {
    pause = LATEST;
    show("state", "Not reachable at the moment; trying again");
  }
  timer = setTimeout(look, pause);
}

document.addEventListener("visibilitychange", look);
timer = setTimeout(look, SOONEST);
show("state", "Live");
