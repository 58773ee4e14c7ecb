// Keeps the queue's page up to date: one stream, and a look at the page for each event.

const queue = document.getElementById("queue");
const live = document.getElementById("live");
const stream = new EventSource(queue.dataset.stream);
let isFirst = true;

stream.addEventListener("open", () => {
  live.hidden = false;
});
stream.addEventListener("error", () => {
  live.hidden = true; // the browser connects again by itself
});
stream.addEventListener("queue", () => {
  if (!isFirst) htmx.trigger(document.body, "queue");
  isFirst = false;
});
addEventListener("pagehide", () => stream.close());
