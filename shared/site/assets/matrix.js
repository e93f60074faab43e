// Filters above the matrix: by text, by maturity model and area, and by what a level answers.
const table = document.querySelector("article table");
const rows = [...table.tBodies[0].rows];
const levels = [...table.tHead.rows[0].cells].slice(2).map((cell) => cell.textContent);
const form = document.createElement("form");
const counted = document.createElement("output");

function choice(label, options) {
  const select = document.createElement("select");
  select.setAttribute("aria-label", label);
  select.append(new Option(label, ""), ...options.map((option) => new Option(option)));
  form.append(select);
  return select;
}

function show(filters) {
  const visible = rows.filter((row) => {
    row.hidden = !filters.every((holds) => holds(row));
    return !row.hidden;
  });
  counted.textContent = `${visible.length} of ${rows.length} claims`;
}

fetch(new URL("matrix.json", document.currentScript.src))
  .then((answer) => answer.json())
  .then((claims) => {
    const of = (row) => claims[row.cells[0].textContent];
    const all = (key) => [...new Set(Object.values(claims).flatMap((claim) => claim[key]))];
    const text = document.createElement("input");
    text.type = "search";
    text.placeholder = "Filter the claims by a word";
    form.className = "filters";
    form.append(text);
    const model = choice("every model", all("models"));
    const area = choice("every area", all("area"));
    const level = choice("at any level", levels.map((number) => `level ${number}`));
    const answer = choice("every answer", ["yes", "by people", "no"]);
    form.append(counted);
    (table.closest(".md-typeset__scrollwrap") ?? table).before(form); // what scrolls does not hold the filters
    const filters = [
      (row) => row.textContent.toLowerCase().includes(text.value.toLowerCase()),
      (row) => !model.value || of(row).models.includes(model.value),
      (row) => !area.value || of(row).area === area.value,
      (row) => {
        const cells = level.value ? [row.cells[1 + level.selectedIndex]] : [...row.cells].slice(2);
        return !answer.value || cells.some((cell) => cell.querySelector("a")?.textContent === answer.value);
      },
    ];
    form.addEventListener("input", () => show(filters));
    form.addEventListener("submit", (event) => event.preventDefault());
    show(filters);
  });
