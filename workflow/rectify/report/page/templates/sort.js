"use strict";

// Sorting: a click on a column's heading sorts by it, another click turns the order round.

// What a cell sorts by: a data attribute where it has one, else its text; numbers before words.
function sortValue(cell, word) {
  const given = cell.dataset[word] ?? cell.dataset.sort ?? cell.textContent.trim();
  return given === "" || Number.isNaN(Number(given)) ? given : Number(given);
}

function compareValues(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

function sortBy(table, column, ascending) {
  const word = table.dataset.word || "measured";
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [sortValue(row.cells[column], word), row]);
  keyed.sort(([a], [b]) => {
    if (a === "" || b === "") return (a === "") - (b === ""); // cells without a value come last
    return ascending ? compareValues(a, b) : compareValues(b, a);
  });
  body.append(...keyed.map(([, row]) => row));
  for (const head of table.tHead.rows[0].cells) head.removeAttribute("aria-sort");
  const order = ascending ? "ascending" : "descending";
  table.tHead.rows[0].cells[column].setAttribute("aria-sort", order);
}

for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.addEventListener("click", (event) => {
    const head = event.target.closest("button")?.closest("th");
    if (!head) return;
    const before = head.getAttribute("aria-sort");
    // numbers from the highest down first, words from A on
    const ascending = before ? before === "descending" : !head.classList.contains("n");
    sortBy(table, head.cellIndex, ascending);
  });
}

for (const choice of document.querySelectorAll("[data-sorts]")) {
  const table = document.getElementById(`table-${choice.dataset.sorts}`);
  choice.addEventListener("change", (event) => {
    table.dataset.word = event.target.value;
    const head = table.querySelector("[aria-sort]");
    if (head) sortBy(table, head.cellIndex, head.getAttribute("aria-sort") === "ascending");
  });
}
