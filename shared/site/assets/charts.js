// Puts a chart in the place of each picture of the scoreboard; without scripts the pictures stay.
const colours = () => ({ "font.color": getComputedStyle(document.querySelector("article")).color });
const assets = new URL(".", document.currentScript.src);

for (const picture of document.querySelectorAll("article img[src^='scoreboard-']")) {
  const name = picture.getAttribute("src").replace(".png", ".json");
  const chart = document.createElement("div");
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", picture.alt);
  fetch(new URL(name, assets))
    .then((answer) => answer.json())
    .then(({ data, layout }) => {
      picture.replaceWith(chart);
      return Plotly.newPlot(chart, data, layout, { responsive: true, displaylogo: false });
    })
    .then(() => {
      const paint = () => Plotly.relayout(chart, colours());
      new MutationObserver(paint).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
      return paint();
    });
}
