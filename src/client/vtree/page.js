
"use strict";
(() => {
  const room = document.querySelector("main");
  const svg = room.querySelector("svg");
  const field = document.getElementById("search");
  const count = document.getElementById("count");
  const box = svg.viewBox.baseVal;
  const nodes = [...svg.querySelectorAll(".node")];
  const texts = nodes.map((node) => node.querySelector("title").textContent.toLowerCase());
  let scale = 1;
  let found = [];
  let current = -1;

  // Keeps the point (x, y) of the window where it is.
  function zoom(to, x = room.clientWidth / 2, y = room.clientHeight / 2) {
    to = Math.min(8, Math.max(0.05, to));
    const left = (room.scrollLeft + x) * to / scale - x;
    const top = (room.scrollTop + y) * to / scale - y;
    scale = to;
    svg.setAttribute("width", box.width * scale);
    svg.setAttribute("height", box.height * scale);
    room.scrollLeft = left;
    room.scrollTop = top;
  }
  const fit = () => zoom(Math.min(1, room.clientWidth / box.width, room.clientHeight / box.height));

  function go(to) {
    if (current >= 0) nodes[found[current]].classList.remove("current");
    current = found.length ? (to + found.length) % found.length : -1;
    if (current >= 0) {
      const node = nodes[found[current]];
      node.classList.add("current");
      node.scrollIntoView({ block: "center", inline: "center" });
    }
    count.textContent = field.value ? `${current + 1} of ${found.length}` : "";
  }
  function search() {
    if (current >= 0) nodes[found[current]].classList.remove("current");
    current = -1;
    const wanted = field.value.toLowerCase();
    found = wanted ? [...nodes.keys()].filter((number) => texts[number].includes(wanted)) : [];
    const are = new Set(found);
    nodes.forEach((node, number) => node.classList.toggle("found", are.has(number)));
    go(0);
  }

  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go(current + (event.shiftKey ? -1 : 1));
    if (event.key === "Escape") { field.value = ""; search(); field.blur(); }
  });
  document.getElementById("in").addEventListener("click", () => zoom(scale * 1.25));
  document.getElementById("out").addEventListener("click", () => zoom(scale / 1.25));
  document.getElementById("whole").addEventListener("click", fit);
  document.getElementById("natural").addEventListener("click", () => zoom(1));
  document.addEventListener("keydown", (event) => {
    if (event.target === field || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { "+": () => zoom(scale * 1.25), "-": () => zoom(scale / 1.25), "0": fit, "1": () => zoom(1), "/": () => field.focus(), "n": () => go(current + 1), "N": () => go(current - 1) };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  room.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const place = room.getBoundingClientRect();
    zoom(scale * Math.exp(-event.deltaY / 300), event.clientX - place.left, event.clientY - place.top);
  }, { passive: false });
  let dragged = null;
  room.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.pointerType === "mouse") dragged = [event.clientX + room.scrollLeft, event.clientY + room.scrollTop];
  });
  window.addEventListener("pointermove", (event) => {
    room.classList.toggle("dragged", dragged !== null);
    if (dragged) room.scrollTo(dragged[0] - event.clientX, dragged[1] - event.clientY);
  });
  window.addEventListener("pointerup", () => { dragged = null; room.classList.remove("dragged"); });

  // A page may be opened on what is looked for: FILE#REL1
  field.value = decodeURIComponent(location.hash.slice(1));
  search();
})();
