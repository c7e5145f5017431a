"use strict";
const texts = JSON.parse(document.getElementById("texts").textContent);
const tip = document.getElementById("tip");
const REACH = 18; // SVG units within which a pointer means a point

function light(group) {
  for (const e of document.querySelectorAll(".hot")) e.classList.remove("hot");
  if (!group) return;
  for (const e of document.querySelectorAll("[data-group]"))
    if (e.dataset.group === group) e.classList.add("hot");
}

function show(text, x, y) {
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const left = Math.min(x + 14, innerWidth - tip.offsetWidth - 8);
  const below = y + 18 + tip.offsetHeight < innerHeight;
  tip.style.left = Math.max(8, left) + "px";
  tip.style.top = (below ? y + 18 : y - tip.offsetHeight - 12) + "px";
}

function nearest(hits, at) {
  let best = null, least = REACH;
  for (const hit of hits) { // finalists come last and win a tie
    const far = Math.hypot(hit[0] - at.x, hit[1] - at.y) - (hit[3] < 0 ? 0 : 3);
    if (far <= least) [best, least] = [hit, far];
  }
  return best;
}

for (const svg of document.querySelectorAll("svg[data-hits]")) {
  const hits = JSON.parse(svg.dataset.hits);
  const ask = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const hit = nearest(hits, at);
    show(hit ? texts[hit[2]] : "", event.clientX, event.clientY);
    light(hit && hit[3] >= 0 ? texts[hit[3]] : "");
  };
  svg.addEventListener("pointermove", ask);
  svg.addEventListener("pointerdown", ask);
  svg.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") { show(""); light(""); }
  });
}

for (const row of document.querySelectorAll("tr[data-group], article[data-group]")) {
  row.addEventListener("pointerenter", () => light(row.dataset.group));
  row.addEventListener("pointerleave", () => light(""));
}

const value = (row, i) => {
  const cell = row.cells[i], text = cell.dataset.v ?? cell.textContent.trim();
  const number = parseFloat(text.replaceAll(",", ""));
  return cell.classList.contains("n") ? (isNaN(number) ? -Infinity : number) : text;
};

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up > 0 ? "ascending" : "descending");
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const x = value(a, i), y = value(b, i);
        return up * (x < y ? -1 : x > y ? 1 : 0);
      });
      table.tBodies[0].append(...rows);
    });
  });
}
