// Plays the answer that is judged, over and over, and takes keys.

const video = document.getElementById("video");

if (video) {
  const start = Number(video.dataset.start);
  const end = Number(video.dataset.end);
  const begin = () => video.play().catch(() => {}); // a browser may want a click first
  video.muted = true;
  video.addEventListener("timeupdate", () => {
    if (video.currentTime >= end && !video.seeking) video.currentTime = start;
  });
  video.addEventListener("pause", () => {
    // at the end of the fragment of its address
    if (video.currentTime >= end) begin();
  });
  video.addEventListener("loadedmetadata", begin, { once: true });
  if (video.readyState) begin();
}

const KEYS = { y: "#right", n: "#wrong", s: "#skip", u: "#undo" };

document.addEventListener("keydown", (event) => {
  const isWriting = event.target.closest("input, select, textarea, video");
  if (isWriting || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  const button = document.querySelector(
    /^[1-9]$/.test(key) ? `[data-key="${key}"]` : (KEYS[key] ?? "#none"),
  );
  if (!button) return;
  event.preventDefault();
  button.click();
});
