// Loupe, comparison, flipbook and survey: each builds itself into <main> and redraws on a change.

const view = { draw: null, close: null, stage: null };

function openView() {
  view.close?.();
  view.draw = view.close = view.stage = null;
  grid.root = null;
  const open = { grid: gridView, loupe: loupeView, compare: compareView, flip: flipView, survey: surveyView };
  open[state.view]();
}

function gridView() {
  openGrid();
  view.draw = (toCursor) => {
    if (toCursor) scrollToCell(state.cell, toCursor);
    showCursor();
  };
  refreshGrid("middle");
  grid.root.focus({ preventScroll: true });
}

function loupeView() {
  const stage = (view.stage = new Stage("Image"));
  const strip = h("div", { class: "strip", role: "group", "aria-label": "Images before and after" });
  stage.onSwipe = (step) => moveTo(neighbour(state.cell, step));
  $("main").replaceChildren(h("section", { class: "loupe", tabindex: "-1", "aria-label": "Loupe" }, stage.root, caption(), strip));
  view.close = () => stage.close();
  view.draw = () => {
    stage.show([thingOf(state.cell)]);
    drawCaption();
    drawStrip(strip);
    preload([neighbour(state.cell, 1), neighbour(state.cell, -1)]);
  };
  view.draw();
  stage.arrange();
}

const caption = () => h("p", { id: "caption" });
function drawCaption(words) {
  $("caption").replaceChildren(words || captionOf(state.cell) || said(imageOf(state.cell).name));
}

/** The images before and after the current one, in the grid's order. */
function drawStrip(strip) {
  const here = layout.place.get(state.cell) ?? 0;
  const room = Math.max(2, Math.floor(strip.clientWidth / 76 / 2));
  const buttons = [];
  for (let at = here - room; at <= here + room; at++) {
    const cell = layout.order[at];
    if (cell === undefined) {
      buttons.push(h("span", { class: "gap" }));
      continue;
    }
    const verdict = verdictOf(cell);
    buttons.push(h("button", {
      type: "button", class: ["", "picked", "rejected"][verdict], "aria-label": spoken(cell),
      "aria-current": at === here ? "true" : null, tabindex: "-1", onclick: () => moveTo(cell),
    }, thumbnail(cell)));
  }
  strip.replaceChildren(...buttons);
}

/** Two images: with a slider, side by side, blinking, or as their difference. */
function compareView() {
  const bar = h("div", { class: "compare-bar" });
  const area = h("div", { class: "compare-area" });
  $("main").replaceChildren(h("section", { class: "compare", tabindex: "-1", "aria-label": "Comparison" }, bar, area, caption()));
  const drawn = { mode: "", close: null };
  view.close = () => drawn.close?.();
  view.draw = () => {
    const first = state.before >= 0 ? thingOf(state.before) : inputOf(state.cell);
    const second = thingOf(state.cell);
    drawCompareBar(bar, first);
    if (drawn.mode !== state.mode) {
      drawn.close?.();
      Object.assign(drawn, COMPARE[state.mode](area), { mode: state.mode });
    }
    drawn.show(first || { ...second, key: "none", thumb: "", full: "", word: "The input image is not in this gallery" }, second);
    const before = state.before >= 0 ? captionOf(state.before) : "input image";
    drawCaption(`${before}  ⇄  ${captionOf(state.cell) || said(imageOf(state.cell).name)}`);
    preload([neighbour(state.cell, 1), neighbour(state.cell, -1)]);
  };
  view.draw();
}

function drawCompareBar(bar, first) {
  const names = { slider: "Slider", side: "Side by side", blink: "Blink", difference: "Difference" };
  const modes = MODES.map((mode) => h("button", {
    type: "button", "aria-pressed": String(state.mode === mode), onclick: () => setView(mode),
  }, names[mode]));
  const from = h("select", { "aria-label": "First image", onchange: (event) => setBefore(Number(event.target.value)) },
    h("option", { value: -1 }, first || state.before >= 0 ? "with the input image" : "with the input image (not here)"),
    state.before >= 0 ? h("option", { value: state.before }, `with ${captionOf(state.before)}`) : null,
    state.before !== state.cell ? h("option", { value: state.cell }, "with this one, held (m)") : null);
  from.value = String(state.before);
  bar.replaceChildren(h("span", { role: "group", "aria-label": "How to compare" }, modes), from,
    h("button", { type: "button", disabled: state.before < 0, onclick: swapCompared }, "Swap"));
}

function setBefore(cell) {
  state.before = cell;
  redraw();
}
function swapCompared() {
  if (state.before < 0) return;
  const held = state.before;
  state.before = state.cell;
  moveTo(held);
}

/** Each mode builds itself into `area` and gives {show, close}. */
const COMPARE = { slider: sliderMode, side: sideMode, blink: blinkMode, difference: differenceMode };
let slid = 50;

function sliderMode(area) {
  const stage = (view.stage = new Stage("Two images, one over the other"));
  const divider = h("div", {
    class: "divider", role: "slider", tabindex: "0", "aria-label": "Divider between the two images",
    "aria-valuemin": 0, "aria-valuemax": 100,
  }, h("span", { "aria-hidden": "true" }, "◂▸"));
  stage.root.append(divider);
  stage.onSwipe = (step) => moveTo(neighbour(state.cell, step));
  const place = () => {
    divider.style.left = `${slid}%`;
    divider.setAttribute("aria-valuenow", Math.round(slid));
    divider.setAttribute("aria-valuetext", `${Math.round(slid)} % first image`);
    const second = stage.layers[1];
    if (!second) return;
    const at = (stage.root.clientWidth * slid) / 100;
    const cut = clamp((at - second.left) / (second.wide || 1), 0, 1) * 100;
    second.element.style.clipPath = `inset(0 0 0 ${cut}%)`;
  };
  stage.onArrange = place;
  const drag = (event) => {
    const box = stage.root.getBoundingClientRect();
    slid = clamp(((event.clientX - box.left) / box.width) * 100, 0, 100);
    place();
  };
  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    event.preventDefault();
    divider.focus();
  });
  divider.addEventListener("pointermove", (event) => divider.hasPointerCapture(event.pointerId) && drag(event));
  divider.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -2, ArrowRight: 2, ArrowDown: -2, ArrowUp: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 };
    if (!(event.key in steps)) return;
    moveDivider(steps[event.key]);
    event.preventDefault();
    event.stopPropagation();
  });
  view.divider = (step) => {
    slid = clamp(slid + step, 0, 100);
    place();
  };
  area.replaceChildren(stage.root);
  return { show: (a, b) => stage.show([a, { ...b, key: `${b.key}` === `${a.key}` ? `${b.key}-again` : b.key }]), close: () => stage.close() };
}
function moveDivider(step) {
  view.divider?.(step);
}

function sideMode(area) {
  const [left, right] = [new Stage("First image"), new Stage("Second image")];
  view.stage = right;
  for (const stage of [left, right]) stage.onSwipe = (step) => moveTo(neighbour(state.cell, step));
  area.replaceChildren(h("div", { class: "pair" }, left.root, right.root));
  return { show: (a, b) => (left.show([a]), right.show([b])), close: () => (left.close(), right.close()) };
}

function blinkMode(area) {
  const stage = (view.stage = new Stage("Two images in turn", () => flip()));
  const word = h("span", { class: "which", "aria-hidden": "true" });
  stage.root.append(word);
  let second = true;
  let timer = 0;
  const flip = () => {
    second = !second;
    const layer = stage.layers[1];
    if (layer) layer.element.style.visibility = second ? "visible" : "hidden";
    word.textContent = second ? "2" : "1";
  };
  const run = (wanted) => {
    clearInterval(timer);
    timer = wanted ? setInterval(flip, 700) : 0;
    button.setAttribute("aria-pressed", String(Boolean(timer)));
    button.textContent = timer ? "Pause" : "Play";
  };
  const button = h("button", { type: "button", class: "over", onclick: () => run(!timer) });
  stage.root.append(button);
  area.replaceChildren(stage.root);
  run(!calm()); // somebody who wants less motion turns the images by hand: space, or a tap
  view.flip = flip;
  const show = (a, b) => {
    stage.show([a, { ...b, key: b.key === a.key ? `${b.key}-again` : b.key }]);
    second = false;
    flip();
  };
  return { show, close: () => (clearInterval(timer), (view.flip = null), stage.close()) };
}

let gain = 2;
function differenceMode(area) {
  const stage = (view.stage = new Stage("Difference of two images: black where they are equal"));
  stage.root.classList.add("difference");
  const slider = h("input", {
    type: "range", min: 1, max: 16, step: 1, value: gain,
    oninput: (event) => {
      gain = Number(event.target.value);
      apply();
    },
  });
  const word = h("output", {});
  const apply = () => {
    stage.root.classList.remove(...[...stage.root.classList].filter((name) => name.startsWith("gain-")));
    stage.root.classList.add(`gain-${gain}`);
    stage.root.style.setProperty("--gain", gain);
    word.textContent = `× ${gain}`;
  };
  apply();
  area.replaceChildren(stage.root, h("label", { class: "gain" }, "Brightness of the difference", slider, word));
  return { show: (a, b) => stage.show([a, { ...b, key: b.key === a.key ? `${b.key}-again` : b.key }]), close: () => stage.close() };
}

/** One image and a slider for each axis. */
function flipView() {
  const stage = (view.stage = new Stage("Image"));
  const sliders = h("div", { class: "sliders", role: "group", "aria-label": "A slider for each axis" });
  $("main").replaceChildren(h("section", { class: "flip", tabindex: "-1", "aria-label": "Flipbook" }, stage.root, sliders));
  view.close = () => stage.close();
  const made = sweep.varying.map((axis) => makeSlider(axis, sliders));
  view.draw = () => {
    stage.show([thingOf(state.cell)]);
    made.forEach((update) => update());
    const near = sweep.varying.flatMap((axis) => [-1, 1].map((step) => along(state.cell, axis, step)));
    preload(near.filter((cell) => cell !== state.cell));
  };
  view.draw();
  stage.arrange();
}

let flipAxis = 0;
function makeSlider(axis, into) {
  const last = sweep.axes[axis].values.length - 1;
  const name = spaced(shown(sweep.axes[axis].name));
  const word = h("output", {});
  const input = h("input", {
    type: "range", min: 0, max: last, step: 1, "aria-label": name,
    oninput: (event) => moveTo(nearestWith(state.cell, axis, Number(event.target.value))),
    onfocus: () => {
      flipAxis = sweep.varying.indexOf(axis);
      redraw();
    },
  });
  const row = h("label", {}, h("span", {}, name), input, word);
  into.append(row);
  return () => {
    const index = sweep.at[axis][state.cell];
    input.value = Math.max(0, index);
    const text = index < 0 ? "default" : labelled(axis, index);
    word.textContent = text;
    input.setAttribute("aria-valuetext", text);
    row.classList.toggle("chosen", sweep.varying[flipAxis] === axis);
  };
}

/** The next existing cell along one axis, all else equal. */
function along(cell, axis, step) {
  const last = sweep.axes[axis].values.length - 1;
  for (let index = sweep.at[axis][cell] + step; index >= 0 && index <= last; index += step) {
    const found = cellAt(cell, axis, index);
    if (found !== undefined) return found;
  }
  return cell;
}

/** The cell with this value on this axis; where there is none with all else equal, the likest one. */
function nearestWith(cell, axis, index) {
  const exact = cellAt(cell, axis, index);
  if (exact !== undefined) return exact;
  let best = cell;
  let most = -1;
  for (let other = 0; other < sweep.loaded; other++) {
    if (sweep.at[axis][other] !== index) continue;
    const same = sweep.varying.filter((one) => sweep.at[one][other] === sweep.at[one][cell]).length;
    if (same > most) [best, most] = [other, same];
  }
  return best;
}

/** Cells by all their values, so that a neighbour is found at once. */
let atlas = null;
let atlasLoaded = 0;
const cellKey = (cell, axis, index) =>
  sweep.varying.map((one) => (one === axis ? index : sweep.at[one][cell])).join(",");
function cellAt(cell, axis, index) {
  if (!atlas || atlasLoaded !== sweep.loaded) {
    atlas = new Map();
    atlasLoaded = sweep.loaded;
    for (let other = 0; other < sweep.loaded; other++) atlas.set(cellKey(other, -1, 0), other);
  }
  return atlas.get(cellKey(cell, axis, index));
}

/** All picks side by side, zoomed and moved together. */
const SURVEY_PAGE = 24;
function surveyView() {
  const bar = h("div", { class: "survey-bar" });
  const area = h("div", { class: "survey-area" });
  $("main").replaceChildren(h("section", { class: "survey", tabindex: "-1", "aria-label": "Survey of the picks" }, bar, area));
  let shownStages = [];
  const close = () => shownStages.forEach(([stage]) => stage.close());
  view.close = close;
  view.draw = () => {
    const all = surveyed();
    const page = Math.floor(Math.max(0, all.indexOf(state.cell)) / SURVEY_PAGE);
    const cells = all.slice(page * SURVEY_PAGE, (page + 1) * SURVEY_PAGE);
    drawSurveyBar(bar, all, page);
    const before = shownStages.map(([, cell]) => cell);
    if (before.length !== cells.length || cells.some((cell, at) => cell !== before[at])) {
      close();
      shownStages = cells.map((cell) => surveyTile(cell, cells.length));
      area.replaceChildren(...shownStages.map(([stage]) => stage.root.parentElement));
      if (!cells.length) area.replaceChildren(h("p", { class: "empty" }, "Nothing is picked yet: press p on an image in the grid or the loupe."));
      fitSurvey(area, cells.length);
      shownStages.forEach(([stage]) => stage.arrange());
    }
    for (const [stage, cell] of shownStages) {
      const figure = stage.root.parentElement;
      figure.classList.toggle("cursor", cell === state.cell);
      figure.querySelector(".stars").textContent = "★".repeat(starsOf(cell)) + (noteOf(cell) ? " ✎" : "");
    }
    view.stage = (shownStages.find(([, cell]) => cell === state.cell) || shownStages[0] || [null])[0];
  };
  view.resized = () => fitSurvey(area, shownStages.length);
  view.draw();
}

/** The picks that the axes' filters let through. */
function surveyed() {
  const found = [];
  for (let cell = 0; cell < sweep.loaded; cell++) {
    if (verdictOf(cell) === PICK && passesAxes(cell)) found.push(cell);
  }
  return found;
}

function surveyTile(cell, many) {
  const stage = new Stage(spoken(cell), () => moveTo(cell));
  const thing = thingOf(cell);
  if (many > 12) thing.full = ""; // many large images at once are slow and cannot be told apart anyway
  const words = captionOf(cell) || said(imageOf(cell).name);
  h("figure", { class: "survey-tile" }, stage.root,
    h("figcaption", {}, h("span", { title: words }, words), h("span", { class: "stars", "aria-hidden": "true" })));
  stage.show([thing]);
  return [stage, cell];
}

function drawSurveyBar(bar, all, page) {
  const pages = Math.ceil(all.length / SURVEY_PAGE);
  const go = (to) => moveTo(all[clamp(to, 0, pages - 1) * SURVEY_PAGE]);
  bar.replaceChildren(h("span", {}, `${count(all.length, "pick")}`),
    h("span", { class: "hint" }, "Zoom and pan move all; with Shift, one."));
  if (pages < 2) return;
  bar.append(h("button", { type: "button", onclick: () => go(page - 1), disabled: page === 0 }, "‹ Before"),
    h("span", {}, `${page + 1} of ${pages}`),
    h("button", { type: "button", onclick: () => go(page + 1), disabled: page === pages - 1 }, "After ›"));
}

/** As many columns as make the images largest. */
function fitSurvey(area, many) {
  if (!many) return;
  const [width, height] = [area.clientWidth, area.clientHeight];
  let best = [0, 1];
  for (let columns = 1; columns <= many; columns++) {
    const rows = Math.ceil(many / columns);
    const wide = Math.min(width / columns, (height / rows - 24) / sweep.ratio);
    if (wide > best[0]) best = [wide, columns];
  }
  area.style.setProperty("--columns", best[1]);
}
