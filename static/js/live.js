/* Parts of a page that show something which moves by itself carry `data-follows="flow:ID"` (or
   `invoice:ID`, `connection:ID`; without an id, any of that kind) and `hx-trigger="moved"`.
   One stream tells all tabs of a browser which ids have moved: the visible tab that holds the lock
   listens, and passes on what it hears. A hidden tab holds nothing, and looks once when it is
   shown again. While no stream is heard, parts ask by themselves: every `data-poll` seconds. */
const { live: address, liveOf: whose } = document.body.dataset;
const TICK = 1000;
const QUIET = 20_000; // ms: the server says something at least every fifteen seconds
const AGAIN = 30_000; // ms until a stream that was refused is asked for anew
const SELDOM = 5; // seconds between two questions of a part that does not say how often

const channel = new BroadcastChannel(`live ${whose}`);
let source = null; // only in the tab that listens
let wish = null; // to be that tab
let heardAt = 0;
let openedAt = 0; // a stream that is slow to say its first word is given the same time
let refusedAt = 0;
let wasHeard = false;
let isOver = false;

const parts = () => [...document.querySelectorAll("[data-follows]")];
const isHeard = () => Date.now() - heardAt < QUIET;
// What somebody types in, or has opened, is not taken away: it is fetched when they are done.
// Nor is a part fetched more often than every `data-calm` seconds.
const late = new Set(); // by their ids, which outlive the parts
const lookedAt = {};
// While an answer is on its way, or is being put in, nobody hears: htmx would drop the event.
const isInUse = (part) =>
  part.closest(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added") ||
  part.querySelector("dialog[open], :popover-open") ||
  (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));

function look(some) {
  for (const part of some) {
    const isCalm = Date.now() - (lookedAt[part.id] ?? 0) < (part.dataset.calm ?? 0) * 1000;
    late[isCalm || isInUse(part) ? "add" : "delete"](part.id);
    if (late.has(part.id)) continue;
    lookedAt[part.id] = Date.now();
    part.dispatchEvent(new CustomEvent("moved")); // it concerns no part around this one
  }
}

const follows = (part, moved) =>
  part.dataset.follows.split(" ").some((each) => {
    const [kind, id] = each.split(":");
    return moved.all || (id ? moved[kind]?.includes(id) : moved[kind]?.length);
  });

const HEARD = {
  begun() {
    look(wasHeard ? parts() : parts().filter((part) => part.dataset.poll));
  },
  still() {
    if (!wasHeard) HEARD.begun(); // told by another tab: what moved before that is not told again
  },
  moved(moved) {
    HEARD.still();
    look(parts().filter((part) => follows(part, moved)));
  },
  over() {
    isOver = true;
    leave();
  },
};

function hear(name, data) {
  heardAt = name === "lost" ? 0 : Date.now();
  document.body.dataset.liveIs = name === "lost" ? "lost" : "heard";
  if (!document.hidden) HEARD[name]?.(data);
  wasHeard ||= name !== "lost";
}

function pass(name, data) {
  channel.postMessage({ name, data });
  hear(name, data);
}

function listen() {
  source?.close();
  source = new EventSource(address);
  openedAt = Date.now();
  refusedAt = 0;
  source.addEventListener("open", () => (openedAt = Date.now()));
  for (const name of Object.keys(HEARD)) {
    source.addEventListener(name, (event) => pass(name, JSON.parse(event.data)));
  }
  source.addEventListener("error", () => {
    if (source?.readyState === EventSource.CLOSED) refusedAt = Date.now();
    pass("lost");
  });
}

function lead() {
  if (!wish) return undefined;
  listen();
  return new Promise((done) => wish.signal.addEventListener("abort", done));
}

function join() {
  if (wish || document.hidden || isOver) return;
  wish = new AbortController();
  const { signal } = wish;
  channel.postMessage({ name: "who" });
  if (navigator.locks) {
    navigator.locks.request(`live ${whose}`, { signal }, lead).catch(() => {}); // given up
  } else {
    listen(); // without locks each visible tab listens by itself
  }
}

function leave() {
  source?.close();
  source = null;
  wish?.abort();
  wish = null;
}

channel.addEventListener("message", ({ data }) => {
  if (data.name !== "who") hear(data.name, data.data);
  else if (source?.readyState === EventSource.OPEN) channel.postMessage({ name: "still" });
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    leave();
  } else {
    join();
    look(parts());
  }
});
window.addEventListener("pagehide", leave);
window.addEventListener("pageshow", join);

let ticks = 0;
setInterval(() => {
  if (document.hidden || isOver) return;
  ticks += 1;
  const isDue = (part) => ticks % Number(part.dataset.poll ?? SELDOM) === 0;
  look(parts().filter((part) => late.has(part.id) || (!isHeard() && isDue(part))));
  const isSilent =
    source?.readyState === EventSource.OPEN && Date.now() - Math.max(heardAt, openedAt) > QUIET;
  if (source && (isSilent || (refusedAt && Date.now() - refusedAt > AGAIN))) listen();
}, TICK);

join();
