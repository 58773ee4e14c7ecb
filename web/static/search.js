// Completes names in an expression, and plays the answers one after the other.

const input = document.getElementById("q");
const list = document.getElementById("completions");
const MOST_SHOWN = 8;
let known = [];
let chosen = -1;

input.addEventListener("focus", load, { once: true });
input.addEventListener("input", show);
input.addEventListener("keydown", choose);
list.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]");
  if (option) take(option.dataset.label);
});

async function load() {
  const answer = await fetch("/api/v1/labels");
  if (answer.ok) known = await answer.json();
  if (document.activeElement === input) show(); // what was typed meanwhile
}

/** The name that is written at the caret: where it starts, and its text. */
function written() {
  const before = input.value.slice(0, input.selectionStart);
  const start = Math.max(...["&", "|", "!", "("].map((sign) => before.lastIndexOf(sign))) + 1;
  const blank = before.slice(start).match(/^\s*/)[0].length;
  return { start: start + blank, text: before.slice(start + blank).toLowerCase() };
}

/** Names that begin so come first, then those of which a word does, then the others. */
function rank({ name, label }, text) {
  const written = `${name} ${label}`.toLowerCase();
  if (written.startsWith(text)) return 0;
  if (written.includes(` ${text}`)) return 1;
  return written.includes(text) ? 2 : 3;
}

function show() {
  const { text } = written();
  const fits = text ? known.filter((each) => rank(each, text) < 3) : [];
  fits.sort((one, other) => rank(one, text) - rank(other, text));
  list.replaceChildren(
    ...fits.slice(0, MOST_SHOWN).map((each) => {
      const option = document.createElement("li");
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.className = "chip";
      option.dataset.label = each.label;
      option.textContent = each.name;
      return option;
    }),
  );
  chosen = -1;
  list.hidden = !fits.length;
}

function choose(event) {
  const options = [...list.children];
  if (list.hidden || !options.length) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
    options.forEach((each, index) => each.setAttribute("aria-selected", String(index === chosen)));
  } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) {
    event.preventDefault();
    take(options[chosen].dataset.label);
  } else if (event.key === "Escape") {
    list.hidden = true;
  }
}

function take(label) {
  const { start } = written();
  const after = input.value.slice(input.selectionStart).replace(/^[^&|!()]*/, "");
  const before = `${input.value.slice(0, start)}${label} `;
  input.value = before + after;
  input.focus();
  input.setSelectionRange(before.length, before.length);
  list.hidden = true;
}

const matches = [...document.querySelectorAll("#matches a")];
if (matches.length) {
  const stage = document.getElementById("stage");
  const video = document.getElementById("video");
  const now = document.getElementById("now");
  const all = document.getElementById("play-all");
  let playing = -1;

  all.hidden = false;
  all.addEventListener("click", () => play(0));
  document.getElementById("next").addEventListener("click", () => play(playing + 1));
  document.getElementById("previous").addEventListener("click", () => play(playing - 1));
  video.addEventListener("timeupdate", () => {
    const match = matches[playing];
    if (match && video.currentTime >= Number(match.dataset.end)) play(playing + 1);
  });
  video.addEventListener("error", () => play(playing + 1));

  function begin() {
    video.play().catch(() => {}); // paused again before it began
  }

  function play(number) {
    matches[playing]?.classList.remove("playing");
    const match = matches[number];
    if (!match) {
      video.pause();
      return;
    }
    playing = number;
    stage.hidden = false;
    all.hidden = true;
    match.classList.add("playing");
    now.textContent = `${number + 1} / ${matches.length} · ${match.querySelector(".name").textContent}`;
    const start = Number(match.dataset.start);
    if (video.dataset.source === match.dataset.video) {
      video.currentTime = start;
      begin();
    } else {
      video.dataset.source = match.dataset.video;
      video.src = `${match.dataset.video}#t=${start}`;
      video.addEventListener("loadedmetadata", begin, { once: true });
    }
  }
}
