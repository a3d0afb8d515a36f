"use strict";
addEventListener("error", event => document.documentElement.dataset.error = event.message);
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const font = "12px system-ui, sans-serif";
  const show = value => value == null ? "–" : Number(value.toPrecision(4)).toString().replace("-", "−");
  const axis = extra => ({stroke: () => colour("soft"), grid: {stroke: () => colour("grid"), width: 1},
    ticks: {stroke: () => colour("grid"), width: 1, size: 5}, font, labelFont: font, labelSize: 20, ...extra});
  const charts = [];

  // The plot inside a figure: resized with it, redrawn for light and dark, its cursor moved by the arrow keys.
  function draw(id, build) {
    const figure = document.getElementById(id);
    if (!figure) return;
    figure.tabIndex = 0;
    figure.setAttribute("role", "group");
    figure.setAttribute("aria-label", figure.dataset.label + ". Arrow keys read single values; the tables hold them all.");
    const tools = document.createElement("div");
    tools.className = "tools";
    const place = document.createElement("div");
    figure.append(tools, place);
    let plot = null;
    const redraw = () => {
      if (plot) plot.destroy();
      const {options, values} = build();
      plot = new uPlot({width: Math.max(200, figure.clientWidth), ...options}, values, place);
    };
    redraw();
    let index = -1;
    figure.addEventListener("keydown", event => {
      const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (!step || event.target !== figure) return;
      event.preventDefault();
      const count = plot.data[0].length;
      index = Math.min(count - 1, Math.max(0, (plot.cursor.idx ?? index) + step * (event.shiftKey ? 10 : 1)));
      plot.setCursor({left: plot.valToPos(plot.data[0][index], "x"), top: plot.bbox.height / devicePixelRatio / 2});
    });
    new ResizeObserver(() => {
      const width = Math.max(200, figure.clientWidth);
      if (width !== plot.width) redraw();
    }).observe(figure);
    charts.push(redraw);
    return {tools, redraw};
  }

  function toggle(chart, label, state, key) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.setAttribute("aria-pressed", state[key]);
    button.addEventListener("click", () => {
      state[key] = !state[key];
      button.setAttribute("aria-pressed", state[key]);
      chart.redraw();
    });
    chart.tools.append(button);
  }

  const bars = (align, size) => uPlot.paths.bars({align, size: [size, 36], radius: 0.12, gap: align ? 1 : 0});
  const shorten = (name, length) => name.length <= length ? name : "…" + name.slice(1 - length);

  // One group of bars per layer.
  function layerBars(series, values, label, logarithmic) {
    const names = data.layers.map(layer => layer.name);
    const longest = Math.max(...names.map(name => Math.min(18, name.length)));
    // Beside each other they need room; a letter is about 6.5 pixels wide.
    const rotated = names.length * (longest + 2) * 6.5 > document.querySelector("main").clientWidth - 160;
    return {
      options: {
        height: rotated ? 264 + longest * 6.2 : 300,
        cursor: {points: {show: false}, drag: {x: false, y: false}, y: false},
        scales: {
          x: {time: false, range: [-0.6, names.length - 0.4]},
          y: logarithmic ? {distr: 3, log: 10} : {range: (_, low, high) => [Math.min(0, low * 1.08), Math.max(0, high * 1.08) || 1]},
        },
        axes: [
          axis({grid: {show: false}, splits: () => names.map((_, i) => i), rotate: rotated ? 60 : 0,
            size: rotated ? 24 + longest * 6.2 : 34,
            values: (plot, splits) => {
              // On a narrow screen only every so many layers have room for their name.
              const every = Math.ceil(names.length * 15 / Math.max(100, plot.width - 80));
              return splits.map(i => names[i] == null || i % every ? "" : shorten(names[i], 18));
            }}),
          axis({label, size: 56, values: (_, splits) => splits.map(v => v == null ? "" : show(v))}),
        ],
        series: [{label: "Layer", value: (_, i) => i == null ? "–" : names[i]}, ...series],
      },
      values: [names.map((_, i) => i), ...values],
    };
  }

  const bar = (label, name, align, size) => ({label, stroke: () => colour(name), fill: () => colour(name), width: 0,
    paths: bars(align, size), points: {show: false}, value: (_, v) => show(v)});

  draw("sqnr-chart", () => layerBars(
    [bar("PTQ", "ptq", -1, 0.36), bar("GPTQ", "gptq", 1, 0.36)],
    [data.layers.map(l => l.ptq), data.layers.map(l => l.gptq)], "SQNR, dB", false));

  const weights = data.layers.map(l => l.weight);
  const positive = weights.every(w => w > 0);
  const spread = {log: positive && Math.max(...weights) > 100 * Math.min(...weights)};
  const hessian = draw("hessian-chart", () => layerBars(
    [bar("Hessian weight", "gptq", 0, 0.6)], [weights], "Hessian weight", spread.log));
  if (hessian && positive) toggle(hessian, "Logarithmic", spread, "log");

  const changed = data.layers.some(layer => layer.up != null);
  if (changed) draw("flips-chart", () => layerBars(
    [bar("Up", "gptq", -1, 0.36), bar("Down", "float", 1, 0.36)],
    [data.layers.map(l => l.up ?? null), data.layers.map(l => l.down ?? null)], "Weights, %", false));

  const stepLabel = {label: "Step", value: (_, step) => step ?? "–"};
  const stepAxis = () => axis({label: "Step", size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000]});
  const line = (label, name, width, dash) => ({label, stroke: () => colour(name), width, dash, points: {show: data.steps.length < 2},
    value: (_, v) => show(v)});
  const drawable = data.loss.some(value => value > 0);
  const scale = {log: drawable};
  // A logarithmic axis has no place for zero: the regularizer may reach it.
  const place = values => scale.log ? values.map(v => v > 0 ? v : null) : values;
  const loss = draw("loss-chart", () => ({
    options: {
      height: 320,
      cursor: {drag: {x: true, y: false}, y: false},
      scales: {x: {time: false}, y: scale.log ? {distr: 3, log: 10} : {}},
      axes: [stepAxis(), axis({label: "Loss", size: 62, values: (_, splits) => splits.map(v => v == null ? "" : show(v))})],
      series: [stepLabel, line("Loss", "gptq", 2), line("Distillation", "ptq", 1.25), line("Regularization", "float", 1.25, [6, 4])],
    },
    values: [data.steps, place(data.loss), place(data.distillation), place(data.regularization)],
  }));
  if (loss && drawable) toggle(loss, "Logarithmic", scale, "log");

  if (data.rates && data.rates.steps.length > 1) {
    const names = Object.keys(data.rates.series);
    const colours = ["gptq", "ptq", "float"];
    draw("rate-chart", () => ({
      options: {
        height: 200,
        cursor: {drag: {x: true, y: false}, y: false},
        scales: {x: {time: false}, y: {distr: 3, log: 10}},
        axes: [stepAxis(), axis({label: "Learning rate", size: 62, values: (_, splits) => splits.map(v => v == null ? "" : show(v))})],
        series: [stepLabel, ...names.map((name, i) => line(name[0].toUpperCase() + name.slice(1), colours[i % 3], 1.5, i === 0 ? undefined : [6, 4]))],
      },
      values: [data.rates.steps, ...names.map(name => data.rates.series[name].map(v => v > 0 ? v : null))],
    }));
  }

  // The quantizer's range, drawn over the bars.
  function rangeLines(plot, edges) {
    const {ctx, bbox} = plot;
    ctx.save();
    ctx.strokeStyle = colour("bad");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const edge of edges) {
      const x = Math.round(plot.valToPos(edge, "x", true));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  if (data.activations.length) {
    const chosen = {index: 0};
    const chart = draw("activation-chart", () => {
      const shown = data.activations[chosen.index];
      const middles = shown.counts.map((_, i) => shown.first + (i + 0.5) * shown.width);
      const low = Math.min(shown.first, shown.low);
      const high = Math.max(shown.first + shown.counts.length * shown.width, shown.high);
      const margin = 0.02 * (high - low);
      return {
        options: {
          height: 260,
          cursor: {points: {show: false}, drag: {x: false, y: false}, y: false},
          // From below one, so that a bin of one value has a bar.
          scales: {x: {time: false, range: [low - margin, high + margin]}, y: {distr: 3, log: 10, range: (_, least, most) => [0.5, 2 * most]}},
          axes: [axis({label: "Value", size: 34, values: (_, splits) => splits.map(v => v == null ? "" : show(v))}),
            axis({label: "Values in bin", size: 62, values: (_, splits) => splits.map(v => v == null ? "" : show(v))})],
          series: [{label: "Value", value: (_, v) => show(v)}, bar("Values in bin", "gptq", 0, 0.95)],
          hooks: {draw: [plot => rangeLines(plot, [shown.low, shown.high])]},
        },
        values: [middles, shown.counts.map(count => count || null)],
      };
    });
    const choice = document.getElementById("activation");
    data.activations.forEach((activation, i) => choice.add(new Option(activation.name, String(i))));
    choice.addEventListener("change", () => {
      chosen.index = Number(choice.value);
      chart.redraw();
    });
    document.getElementById("activation-choice").hidden = data.activations.length < 2;
  }

  const redrawAll = () => charts.forEach(redraw => redraw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

  const themes = ["system", "light", "dark"];
  const theme = document.getElementById("theme");
  let current = 0;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    current = (current + 1) % themes.length;
    document.documentElement.dataset.theme = themes[current];
    theme.textContent = "Theme: " + themes[current];
    redrawAll();
  });

  // For tests, which look at the page from outside.
  document.documentElement.dataset.charts = String(charts.length);
})();
