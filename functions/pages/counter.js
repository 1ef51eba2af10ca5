// Enhances the pages: live figures, visits without a reload, the busiest tags, and code that embeds a badge.

const MIN_INTERVAL = 2000; // milliseconds between two requests while visits come in
const MAX_INTERVAL = 10000; // milliseconds between two requests after a while without visits
const MAX_POINTS = 120; // points of the chart
const MAX_AGE = 60000; // milliseconds for which the start page does not read the list again
const MAX_RANKED = 8; // tags that the start page shows
const TYPING = 400; // milliseconds without typing after which a badge is loaded
const WIDTH = 600;
const HEIGHT = 96;
const EDGE = 4;
const DIGITS = [7, 11, 15, 19, 23, 27, 31, 35, 39, 50]; // the lengths of numbers that counter.css has a size for
const STORED = "stream-triggered-counter";
const JSON_ONLY = { Accept: "application/json" };

const find = (id) => document.getElementById(id);
const main = document.querySelector("main");

function setText(id, text) {
  const element = find(id);
  if (element && element.textContent !== text) element.textContent = text;
}

// Numbers are BigInts, because a count may have more digits than a Number.
function parse(text) {
  return JSON.parse(text, (name, value, context) =>
    typeof value === "number" ? BigInt(context?.source ?? value) : value,
  );
}

const format = (number) => number.toLocaleString("en");
const plural = (number, noun) => `${format(number)} ${noun}${Number(number) === 1 ? "" : "s"}`;

// The rule of `_digits` in templates.py.
const digits = (...texts) => DIGITS.find((length) => texts.every((text) => text.length <= length)) ?? 50;

function setNumber(id, value) {
  setText(id, format(value));
  const figures = find(id)?.closest(".figures");
  if (figures) figures.dataset.digits = digits(...[...figures.querySelectorAll("dd")].map((one) => one.textContent));
}

// The format of `_moment` in templates.py.
function readableTime(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  return `${day}, ${at.toLocaleTimeString("en-GB", { timeZone: "UTC" })} UTC`;
}

function duration(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 90) return plural(seconds, "second");
  return seconds < 5400 ? plural(Math.round(seconds / 60), "minute") : plural(Math.round(seconds / 3600), "hour");
}

// A page whose figures follow the API while it is visible, with a chart since it was opened.
function startLive() {
  const field = main.dataset.live;
  const first = BigInt(main.dataset.value);
  const opened = Date.now();
  const points = [
    { at: opened - 1, value: first },
    { at: opened, value: first },
  ];
  let risen = 0n;
  let fallen = 0n;
  let interval = MIN_INTERVAL;
  let request = 0;
  let timer;

  function update(answer) {
    const value = answer[field];
    const change = value - points.at(-1).value;
    interval = change === 0n ? Math.min(MAX_INTERVAL, interval * 1.25) : MIN_INTERVAL;
    if (change > 0n) risen += change;
    else fallen -= change;
    points.push({ at: Date.now(), value });
    if (points.length > MAX_POINTS) points.splice(1, 1);
    for (const name of ["count", "total"]) if (name in answer) setNumber(name, answer[name]);
    document.title = `${document.title.slice(0, document.title.lastIndexOf(":"))}: ${format(value)}`;
    find("rebuilding")?.toggleAttribute("hidden", !answer.rebuilding);
    if (answer.asOf) {
      setText("as-of", readableTime(answer.asOf));
      find("as-of")?.setAttribute("datetime", answer.asOf);
      find("as-of")?.parentElement.removeAttribute("hidden");
    }
  }

  function draw() {
    const values = points.map((point) => point.value);
    const lowest = values.reduce((least, value) => (value < least ? value : least));
    const rise = Math.max(1, ...values.map((value) => Number(value - lowest)));
    const span = points.at(-1).at - points[0].at;
    const x = (point) => (((point.at - points[0].at) / span) * WIDTH).toFixed(1);
    const y = (point) => (HEIGHT - EDGE - (Number(point.value - lowest) / rise) * (HEIGHT - 2 * EDGE)).toFixed(1);
    const line = `M${points.map((point) => `${x(point)} ${y(point)}`).join("L")}`;
    find("trend-line").setAttribute("d", line);
    find("trend-area").setAttribute("d", `${line}V${HEIGHT}H0Z`);
    find("trend-end").setAttribute("d", `M${x(points.at(-1))} ${y(points.at(-1))}h0`);
    const seen = `${plural(risen, "visit")} in the last ${duration(span)}`;
    const removed = fallen > 0n ? `, and ${format(fallen)} removed` : "";
    setText("trend-text", points.length > 2 ? seen + removed : "New visits appear here");
    find("trend").removeAttribute("hidden");
  }

  function setState(text, lost = false) {
    setText("state", text);
    find("state").classList.toggle("lost", lost);
  }

  async function refresh() {
    clearTimeout(timer);
    if (document.visibilityState !== "visible") return;
    request += 1;
    const own = request;
    try {
      const answer = await fetch(location.href, { headers: JSON_ONLY, cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const parsed = parse(await answer.text());
      // A later request may have been answered already, with a later count.
      if (own !== request) return;
      update(parsed);
      draw();
      setState("Live");
    } catch {
      if (own !== request) return;
      interval = MAX_INTERVAL;
      setState("Cannot reach the API; retrying", true);
    }
    timer = setTimeout(refresh, interval);
  }

  // Without this, each visit would be another entry of the browser's history, which looks like the one before.
  async function recordVisit(event) {
    event.preventDefault();
    try {
      const answer = await fetch(event.target.action, { method: "POST", headers: JSON_ONLY });
      const problem = answer.ok ? {} : await answer.json().catch(() => ({}));
      if (!answer.ok) throw new Error(problem.detail ?? "The visit was not recorded");
      keep(null);
      await refresh();
    } catch (error) {
      clearTimeout(timer);
      timer = setTimeout(refresh, MAX_INTERVAL);
      setState(error instanceof TypeError ? "The visit may not have been recorded" : error.message, true);
    }
  }

  document.addEventListener("visibilitychange", refresh);
  document.querySelector('main form[method="post"]')?.addEventListener("submit", recordVisit);
  timer = setTimeout(refresh, MIN_INTERVAL);
  draw();
  setState("Live");
}

// The start page's answer of the API, which is kept for a minute. A browser may refuse to keep anything.
function keep(answer) {
  try {
    sessionStorage.setItem(STORED, JSON.stringify(answer));
  } catch {
    // It is read again.
  }
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(STORED));
  } catch {
    return null;
  }
}

async function readOverview(source) {
  const last = kept();
  if (last?.source === source && Date.now() - last.at < MAX_AGE) return parse(last.text);
  const answer = await fetch(source, { headers: JSON_ONLY, cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  const text = await answer.text();
  keep({ source, at: Date.now(), text });
  return parse(text);
}

// Other programs may count under keys that have no page.
const hasPage = (tag) => tag.length <= 200 && !/^\.{1,2}$|[/?%\ufffd\p{C}\p{Zl}\p{Zp}]/u.test(tag);

function rank({ tags, nextCursor }) {
  const pages = tags.filter((row) => hasPage(row.tag)).sort((one, other) => (other.count > one.count ? 1 : -1));
  const busiest = pages.slice(0, MAX_RANKED);
  const most = Number(busiest[0]?.count ?? 1n) || 1;
  const title = nextCursor === null ? "Busiest tags" : `Busiest of the first ${plural(tags.length, "tag")}`;
  setText("ranking-title", busiest.length ? title : "No tag has been visited yet");
  for (const row of busiest) {
    const [item, link, name, count] = ["li", "a", "bdi", "span"].map((kind) => document.createElement(kind));
    name.textContent = /[^\s\u2800]/u.test(row.tag) ? row.tag : `(${plural(row.tag.length, "blank character")})`;
    count.textContent = format(row.count);
    count.dataset.digits = digits(count.textContent);
    link.href = new URL(`counts/${encodeURIComponent(row.tag)}`, find("overview").dataset.root);
    item.style.setProperty("--share", `${Math.max(0, Number(row.count) / most) * 100}%`);
    link.append(name, count);
    item.append(link);
    find("ranking").append(item);
  }
}

async function showOverview(overview) {
  const source = new URL(overview.dataset.source, location.href);
  overview.dataset.root = new URL(".", source).href;
  try {
    const answer = await readOverview(source.href);
    setNumber("total", answer.total);
    find("rebuilding").toggleAttribute("hidden", !answer.rebuilding);
    if (answer.tags) rank(answer);
    overview.removeAttribute("hidden");
  } catch {
    // The links to the total and the list are on the page.
  }
}

// Not by an element: an image loads as soon as it has an address, which would be a visit.
const inAttribute = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
const percentEncode = (character) => `%${character.charCodeAt(0).toString(16)}`;

// A badge with the chosen options, and the code that embeds it.
function startBadge(maker) {
  const typed = find("tag");
  let timer;

  function show() {
    const tag = typed?.value || maker.dataset.tag;
    const label = find("badge-label").value || "visits";
    const color = find("badge-color").value;
    const options = [
      label === "visits" ? "" : `label=${encodeURIComponent(label)}`,
      color === "green" ? "" : `color=${color}`,
    ].filter(Boolean);
    // Not by URLSearchParams, which writes a space as a plus sign.
    const path = `${new URL(maker.dataset.base, location.href)}${encodeURIComponent(tag)}`;
    const address = [path, ...(options.length ? [options.join("&")] : [])].join("?");
    setText("snippet-address", address);
    setText("snippet-markdown", `![${label.replace(/[[\]\\]/g, "\\$&")}](${address.replace(/[()]/g, percentEncode)})`);
    setText("snippet-html", `<img src="${inAttribute(address)}" alt="${inAttribute(label)}">`);
    // The preview is not a visit.
    find("badge-image").src = `${path}?${["count=false", ...options].join("&")}`;
    find("badge-image").alt = `Preview of the badge of ${tag}`;
    for (const part of maker.children) part.toggleAttribute("hidden", !tag);
  }

  for (const source of [typed, find("badge-label"), find("badge-color")]) {
    source?.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(show, TYPING);
    });
  }
  maker.addEventListener("click", async (event) => {
    const copied = find(event.target.closest("[data-copies]")?.dataset.copies);
    if (!copied) return;
    try {
      await navigator.clipboard.writeText(copied.textContent);
      setText("copied", "Copied");
    } catch {
      // Browsers have a clipboard only for pages that were loaded over TLS.
      getSelection().selectAllChildren(copied);
      setText("copied", "Selected; press Ctrl+C to copy");
    }
  });
  const whole = maker.closest("[hidden]");
  whole?.removeAttribute("hidden");
  if (whole?.localName === "details") whole.addEventListener("toggle", show, { once: true });
  else show();
}

if (main.dataset.live) startLive();
if (find("overview")) showOverview(find("overview"));
for (const maker of document.querySelectorAll(".badge")) startBadge(maker);
