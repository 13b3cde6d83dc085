"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const template = () => {
    const axis = {
      gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line"),
      automargin: true, title: { standoff: 8, font: { size: 12 } },
    };
    return { layout: {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("--text"), family: getComputedStyle(document.body).fontFamily, size: 12 },
      hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--text") } },
      xaxis: axis, yaxis: axis, legend: { bgcolor: "rgba(0,0,0,0)" },
    } };
  };

  const figures = new Map();
  const draw = (box) => {
    const { data, layout } = figures.get(box);
    Plotly.react(box, data, { ...layout, template: template() }, { responsive: true, displayModeBar: false });
  };
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting || figures.has(target)) continue;
      figures.set(target, JSON.parse(target.querySelector("script").textContent));
      target.replaceChildren();
      draw(target);
    }
  }, { rootMargin: "400px" });
  for (const box of document.querySelectorAll(".plot")) seen.observe(box);
  dark.addEventListener("change", () => { for (const box of figures.keys()) draw(box); });

  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.addEventListener("click", () => {
      for (const other of document.querySelectorAll("[role=tab]")) {
        const chosen = other === tab;
        other.setAttribute("aria-selected", String(chosen));
        document.getElementById(other.dataset.panel).hidden = !chosen;
      }
    });
  }
})();
