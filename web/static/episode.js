// The player follows the timeline and the timeline follows the player; keys do all of it.

const video = document.getElementById("video");
const { episode, frame, duration } = Object.fromEntries(
  ["episode", "frame", "duration"].map((name) => [name, Number(video.dataset[name])]),
);
const HALF = frame / 2; // seeking to the middle of a frame shows it, whatever is rounded
const ALREADY_SHOWN_MS = 250; // a frame that is shown anew comes within some of 17 ms
const MOST_ZOOM = 32;
let offset = 0; // of the file's own clock from the first frame
let playUntil = null;
let zoom = 1;
let contact = null;

const byId = (id) => document.getElementById(id);
const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const rest = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  return (whole >= 3600 ? [Math.floor(whole / 3600), ...rest] : rest).join(":");
};
const now = () => Math.max(0, video.currentTime - offset);
const bars = () =>
  [...document.querySelectorAll("#canvas a")]
    .map((link) => ({ link, ...times(link) }))
    .sort((one, other) => one.start - other.start);

/** What a bar's address says: from when to when. */
function times(link) {
  const wanted = new URL(link.getAttribute("href"), location.href).searchParams;
  return { start: Number(wanted.get("t")), end: Number(wanted.get("to")) };
}

// --- the player ---

function seek(seconds, until = null) {
  playUntil = until;
  video.currentTime = Math.min(Math.max(0, seconds), duration) + offset + HALF;
}

function play() {
  video.play().catch(() => {}); // paused again before it began
}

/** Play once the frame that was sought is shown; it may be the shown one already. */
function playOnceShown() {
  let isBegun = false;
  const begin = () => {
    if (!isBegun) play();
    isBegun = true;
  };
  video.requestVideoFrameCallback?.(begin);
  video.addEventListener("seeked", () => setTimeout(begin, ALREADY_SHOWN_MS), { once: true });
}

function step(frames) {
  video.pause();
  const shown = Math.round((now() - HALF) / frame);
  seek(Math.max(0, shown + frames) * frame);
}

/** A file whose clock does not begin at 0 tells so by its first frame. */
function calibrate() {
  if (!video.requestVideoFrameCallback || video.currentTime > HALF) return;
  video.requestVideoFrameCallback((_, shown) => {
    if (video.currentTime <= shown.mediaTime && shown.mediaTime < 10) offset = shown.mediaTime;
  });
}

function follow() {
  const cursor = byId("cursor");
  if (cursor) {
    const place = `${(100 * now()) / duration}%`;
    cursor.setAttribute("x1", place);
    cursor.setAttribute("x2", place);
    cursor.removeAttribute("hidden");
  }
  if (playUntil !== null && now() >= playUntil - HALF) {
    video.pause();
    playUntil = null;
  }
  if (!video.paused) requestAnimationFrame(follow);
}

video.addEventListener("loadeddata", calibrate);
video.addEventListener("play", () => {
  showBoxes([]);
  requestAnimationFrame(follow);
});
video.addEventListener("seeked", follow);
video.addEventListener("timeupdate", follow);
video.addEventListener("pause", lookForBoxes);
video.addEventListener("seeked", () => video.paused && lookForBoxes());
video.addEventListener("error", showStills);
if (video.error) showStills();
if (video.dataset.t) {
  // The fragment of the address leads to the time; the middle of its frame is surer.
  const begin = () => seek(Number(video.dataset.t), video.dataset.to ? Number(video.dataset.to) : null);
  if (video.readyState) begin();
  else video.addEventListener("loadedmetadata", begin, { once: true });
}

// --- what a browser cannot play is shown by its stored stills ---

function showStills() {
  byId("unplayable").hidden = false;
  const still = document.createElement("img");
  still.className = "still";
  still.alt = "";
  byId("screen").append(still);
  const show = (seconds) => {
    still.src = `/api/v1/episodes/${episode}/still?at=${seconds.toFixed(3)}`;
  };
  show(Number(video.dataset.t ?? 0));
  document.addEventListener("castline:seek", (event) => show(event.detail));
}

function goTo(seconds, until = null) {
  if (video.error) document.dispatchEvent(new CustomEvent("castline:seek", { detail: seconds }));
  else seek(seconds, until);
}

// --- boxes over the picture ---

let asked = 0;

async function lookForBoxes() {
  const mine = ++asked;
  const answer = await fetch(
    `/api/v1/episodes/${episode}/appearances?places=true&at=${now().toFixed(3)}`,
  );
  if (mine === asked && answer.ok && video.paused) {
    showBoxes((await answer.json()).items.map((item) => item.place).filter(Boolean));
  }
}

function showBoxes(places) {
  const boxes = byId("boxes");
  const [left, top, width, height] = boxes.dataset.area.split(" ").map(Number);
  const scale = Math.min(
    video.clientWidth / video.videoWidth,
    video.clientHeight / video.videoHeight,
  );
  const shown = { width: video.videoWidth * scale, height: video.videoHeight * scale };
  boxes.style.left = `${(video.clientWidth - shown.width) / 2 + left * shown.width}px`;
  boxes.style.top = `${(video.clientHeight - shown.height) / 2 + top * shown.height}px`;
  boxes.style.width = `${width * shown.width}px`;
  boxes.style.height = `${height * shown.height}px`;
  boxes.replaceChildren(
    ...places.map((place) => {
      const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      box.setAttribute("x", place.x - place.width / 2);
      box.setAttribute("y", place.y - place.height / 2);
      box.setAttribute("width", place.width);
      box.setAttribute("height", place.height);
      return box;
    }),
  );
}

// --- the timeline ---

function choose(link) {
  const { start, end } = times(link);
  video.pause();
  goTo(start, end);
  if (!video.error) playOnceShown();
  history.replaceState(null, "", link.getAttribute("href"));
  return htmx.ajax("GET", link.getAttribute("href"), {
    target: "#panel",
    select: "#panel",
    swap: "outerHTML",
  }).then(() => mark(link));
}

function mark(link) {
  for (const bar of document.querySelectorAll("#canvas .selected")) bar.classList.remove("selected");
  link.querySelector(".bar").classList.add("selected");
}

/** One bar is in the order of tabs; arrows and J and K lead to the others. */
function tame() {
  const all = bars();
  const first = all.find(({ link }) => link.querySelector(".selected")) ?? all[0];
  for (const { link } of all) link.setAttribute("tabindex", link === first?.link ? "0" : "-1");
}

function pass(direction) {
  const all = bars();
  const selected = document.querySelector("#canvas .selected")?.closest("a");
  const at = all.findIndex(({ link }) => link === selected);
  const next =
    at >= 0
      ? all[at + direction]
      : direction > 0
        ? all.find(({ start }) => start > now())
        : all.findLast(({ start }) => start < now());
  if (!next) return;
  choose(next.link);
  for (const { link } of all) link.setAttribute("tabindex", link === next.link ? "0" : "-1");
  next.link.focus({ preventScroll: true });
  keepInView(next.start);
}

function keepInView(seconds) {
  const scroll = byId("scroll");
  const place = (seconds / duration) * scroll.scrollWidth;
  if (place < scroll.scrollLeft || place > scroll.scrollLeft + scroll.clientWidth) {
    scroll.scrollLeft = place - scroll.clientWidth / 2;
  }
}

function zoomTo(wanted, around = now()) {
  const scroll = byId("scroll");
  if (!scroll) return;
  const share = (around / duration) * scroll.scrollWidth - scroll.scrollLeft;
  zoom = Math.min(MOST_ZOOM, Math.max(1, wanted));
  for (const id of ["axis", "canvas"]) byId(id).style.width = `${100 * zoom}%`;
  scroll.scrollLeft = (around / duration) * scroll.scrollWidth - share;
  drawTicks();
}

const TICK_PIXELS = 70; // a time takes 40 of them
const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

function drawTicks() {
  const wanted = (duration * TICK_PIXELS) / byId("canvas").clientWidth;
  const tick = STEPS.find((each) => each >= wanted) ?? STEPS.at(-1);
  const labels = [];
  for (let at = 0; at <= duration; at += tick) {
    const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
    label.setAttribute("x", `${(100 * at) / duration}%`);
    label.setAttribute("y", "15");
    label.textContent = tick < 1 ? `${clock(at)}.${Math.round((at % 1) * 10)}` : clock(at);
    labels.push(label);
  }
  byId("axis").classList.add("drawn");
  byId("axis").replaceChildren(...labels);
}

/** The time under a pointer. */
function pointed(event) {
  const { left, width } = byId("canvas").getBoundingClientRect();
  return Math.min(duration, Math.max(0, ((event.clientX - left) / width) * duration));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#canvas a");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    choose(link);
  } else if (event.target.closest("#axis, #canvas")) {
    goTo(pointed(event));
  } else if (event.target.closest("#zoom-in")) {
    zoomTo(zoom * 2);
  } else if (event.target.closest("#zoom-out")) {
    zoomTo(zoom / 2);
  }
});
document.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey || !event.target.closest("#scroll")) return;
    event.preventDefault();
    zoomTo(zoom * (event.deltaY < 0 ? 1.25 : 0.8), pointed(event));
  },
  { passive: false },
);

// --- the filmstrip: a stored frame under the pointer ---

document.addEventListener("pointermove", (event) => {
  const preview = byId("preview");
  if (!preview) return;
  const isOver = event.pointerType !== "touch" && event.target.closest("#axis, #canvas");
  preview.hidden = !(isOver && contact);
  if (isOver && contact === null) loadContact(preview);
  if (isOver && contact) showFrame(preview, pointed(event), event);
});

async function loadContact(preview) {
  contact = false;
  const answer = await fetch(preview.dataset.contact);
  if (answer.ok) contact = await answer.json();
}

function showFrame(preview, seconds, event) {
  const number = contact.sheets.findLastIndex((sheet) => sheet[0] <= seconds);
  if (number < 0) return;
  const sheet = contact.sheets[number];
  const place = Math.max(0, sheet.findLastIndex((time) => time <= seconds));
  const { width, height, columns } = contact;
  const picture = preview.querySelector(".frame");
  const address = `${preview.dataset.contact}/${number}?run=${preview.dataset.run}`;
  picture.style.width = `${width}px`;
  picture.style.height = `${height}px`;
  picture.style.backgroundImage = `url("${address}")`;
  picture.style.backgroundPosition = `${-(place % columns) * width}px ${-Math.floor(place / columns) * height}px`;
  preview.querySelector("span").textContent = clock(sheet[place]);
  const scroll = byId("scroll");
  const { left } = scroll.getBoundingClientRect();
  const middle = event.clientX - left + scroll.scrollLeft;
  const least = scroll.scrollLeft + 4;
  const most = scroll.scrollLeft + scroll.clientWidth - width - 4;
  preview.style.left = `${Math.min(most, Math.max(least, middle - width / 2))}px`;
}

// --- keys ---

const KEYS = {
  " ": () => (video.paused ? play() : video.pause()),
  ArrowLeft: (event) => goTo(now() - HALF - (event.shiftKey ? 10 : 1)),
  ArrowRight: (event) => goTo(now() - HALF + (event.shiftKey ? 10 : 1)),
  ",": () => step(-1),
  ".": () => step(1),
  j: () => pass(1),
  k: () => pass(-1),
  y: () => byId("right")?.click(),
  n: () => byId("wrong")?.click(),
  u: () => byId("undo")?.click(),
  "[": () => setEdge("start"),
  "]": () => setEdge("end"),
  "+": () => zoomTo(zoom * 2),
  "-": () => zoomTo(zoom / 2),
};

/** The shown frame becomes the first, or the last, of the appearance. */
function setEdge(id) {
  const field = byId(id);
  if (!field) return;
  const shown = Math.round((now() - HALF) / frame) * frame;
  field.value = (id === "start" ? shown : shown + frame).toFixed(3);
  field.form.requestSubmit();
}

document.addEventListener("keydown", (event) => {
  const isWriting = event.target.closest("input, select, textarea, [contenteditable]");
  const isControl = event.target.closest("button, summary, a") && event.key === " ";
  if (isWriting || isControl || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act(event);
});

// --- what the server sends anew keeps its zoom ---

function begin() {
  for (const part of document.querySelectorAll(".zoom")) part.hidden = false;
  if (byId("scroll")) zoomTo(zoom);
  tame();
  follow();
}

document.body.addEventListener("htmx:afterSettle", begin);
begin();
