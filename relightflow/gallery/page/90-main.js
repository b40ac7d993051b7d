// What keys, clicks and links do, and how the page starts.

function setView(name) {
  const mode = MODES.includes(name) ? name : null;
  const next = mode ? "compare" : name;
  if (mode) state.mode = mode;
  if (next === "survey" && verdictOf(state.cell) !== PICK) {
    const all = surveyed();
    if (all.length) state.cell = all[0];
  }
  const same = state.view === next;
  state.view = next;
  document.body.dataset.view = next;
  drawViews();
  if (same) redraw();
  else {
    openView();
    focusView();
  }
  drawActions();
  drawInfo();
  writeHash();
}

function focusView() {
  const target = state.view === "grid" ? grid.root : $("main").firstElementChild;
  target?.focus({ preventScroll: true });
}

function redraw(toCursor) {
  view.draw?.(toCursor);
}

function moveTo(cell) {
  if (cell === undefined) return;
  const moved = cell !== state.cell;
  state.cell = cell;
  bringToTop(cell);
  redraw("near");
  drawActions();
  drawInfo();
  if (moved && state.view !== "grid") announce(spoken(cell));
  writeHash();
}

/** Where cells share a place, the current one lies on top. */
function bringToTop(cell) {
  const stack = stackOf(cell);
  const top = topOf(stack);
  if (stack.length < 2 || top === cell) return;
  tops.set(stack[0], cell);
  const tile = grid.tiles.get(top);
  if (!tile) return;
  grid.tiles.delete(top);
  fillTile(tile, cell, stack);
}

function step(by) {
  if (state.view === "survey") {
    const all = surveyed();
    moveTo(all[clamp(all.indexOf(state.cell) + by, 0, all.length - 1)]);
  } else moveTo(neighbour(state.cell, by));
}

/** Whether a filter leaves nothing: then no key may change what nobody sees. */
const unseen = (cell) => state.view === "grid" && !layout.place.has(cell);

/** A verdict for the current cell; the same one again takes it back. */
function decide(verdict, goOn) {
  const cell = state.cell;
  if (unseen(cell)) return;
  const same = verdictOf(cell) === verdict;
  const all = state.view === "survey" ? surveyed() : null;
  choose([cell], { verdict: same ? 0 : verdict });
  announce(["undecided", "picked", "rejected"][verdictOf(cell)] + `, ${number(tally().left)} left`);
  if (all && verdictOf(cell) !== PICK) {
    const at = all.indexOf(cell);
    state.cell = all[at + 1] ?? all[at - 1] ?? cell;
  }
  afterChoice(cell, !all && !same && (goOn || settings.advance));
}

function setStars(stars, goOn) {
  const cell = state.cell;
  if (unseen(cell)) return;
  choose([cell], { stars });
  announce(stars ? count(stars, "star") : "no stars");
  afterChoice(cell, goOn || settings.advance);
}

/** Show what changed. A filter may have taken the cell away: then the one after it is current. */
function afterChoice(cell, goOn) {
  const filtered = !["all", "done", "problems", "failed", "unknown"].includes(state.show);
  if (filtered) refreshGrid("near");
  else decorateAll();
  drawCounts();
  if (goOn && layout.place.has(cell)) moveTo(neighbour(cell, 1));
  else moveTo(state.cell);
}

function takeBack() {
  const cell = undo();
  if (cell < 0) {
    announce("nothing to undo");
    return;
  }
  state.cell = cell;
  refreshGrid();
  afterChoice(cell);
  announce("undone");
}

function setShow(name) {
  state.show = name;
  relayout();
}
function clearFilters() {
  state.show = "all";
  state.only.clear();
  relayout();
}
function setRole(axis, role) {
  placeAxis(axis, role);
  relayout();
}
function toggleTable() {
  if (state.x >= 0) {
    state.x = state.y = -1;
    state.groups = [];
  } else placeAxes();
  relayout();
}

function keepOnly(axis, index) {
  if (index === null) state.only.delete(axis);
  else state.only.set(axis, new Set([index]));
  relayout();
}
function toggleValue(axis, index) {
  const all = [...sweep.axes[axis].values.keys(), ...(withoutValue(axis) ? [-1] : [])];
  const kept = state.only.get(axis) || new Set(all);
  if (kept.has(index)) kept.delete(index);
  else kept.add(index);
  if (kept.size === all.length) state.only.delete(axis);
  else state.only.set(axis, kept);
  relayout();
}

function relayout() {
  refreshGrid("near");
  drawBar();
  moveTo(state.cell);
}

function resize(by) {
  if (state.view !== "grid") {
    view.stage?.zoomTo(lens.zoom * (by > 0 ? 1.4 : 1 / 1.4));
    return;
  }
  const now = state.size < 0 ? SIZES.findIndex((size) => size >= grid.tile) : state.size;
  state.size = clamp((now < 0 ? SIZES.length - 1 : now) + by, 0, SIZES.length - 1);
  refreshGrid("middle");
}

function toggleInfo() {
  settings.info = !settings.info;
  storeSettings();
  drawInfo();
  drawActions();
  resized();
}

function hold() {
  state.before = state.cell;
  announce("held for a comparison");
  redraw();
  writeHash();
}

const typing = (target) => target.closest("textarea, select, dialog, input:not([type=range]):not([type=checkbox]):not([type=radio])");

function onKey(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if ((event.ctrlKey || event.metaKey) && !event.altKey) {
    if (key === "s") saveDialog();
    else if (key === "z" && !typing(event.target)) takeBack();
    else return;
    event.preventDefault();
    return;
  }
  if (event.altKey || event.ctrlKey || event.metaKey || typing(event.target)) return;
  if (key === "Escape") {
    const open = document.querySelector("#bar details[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else if (lens.zoom > 1.001 && state.view !== "grid") resetLens();
    else setView("grid");
    return;
  }
  if (moves(key, event) || (settings.keys && acts(key, event))) event.preventDefault();
}

/** Keys that move. On a control of its own meaning (a slider, a button, a menu) they stay that control's. */
function moves(key, event) {
  const target = event.target;
  if (target.closest("#bar, #actions label, .divider") && key !== "Escape") return false;
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const arrow = arrows[key];
  if (arrow && event.shiftKey && view.stage) {
    view.stage.pan(-arrow[0] * 60, -arrow[1] * 60, false);
    return true;
  }
  if (arrow) return go(arrow, target);
  if (key === "Enter" || key === " ") return enter(key, target);
  if (target.closest("input")) return false;
  const { order } = layout;
  if (key === "Home") moveTo(order[0]);
  else if (key === "End") moveTo(order[order.length - 1]);
  else if (key === "PageDown" || key === "PageUp") page(key === "PageDown" ? 1 : -1);
  else return false;
  return true;
}

function go([dx, dy], target) {
  if (state.view === "flip") {
    if (dx && target.closest("input")) return false; // the slider moves itself
    if (dy) {
      flipAxis = clamp(flipAxis + dy, 0, sweep.varying.length - 1);
      const slider = document.querySelectorAll(".sliders input")[flipAxis];
      if (target.closest("input")) slider.focus();
      redraw();
    } else moveTo(along(state.cell, sweep.varying[flipAxis], dx));
  } else if (state.view === "survey") step(dx || dy);
  else if (state.view === "grid") moveTo(beside(state.cell, dx, dy));
  else moveTo(dx ? neighbour(state.cell, dx) : beside(state.cell, 0, dy));
  return true;
}

function enter(key, target) {
  if (target.closest("button, a, summary, input")) return false;
  if (state.view === "grid") setView("loupe");
  else if (key === " " && view.flip) view.flip();
  else if (key === " ") view.stage?.toggleZoom();
  else setView("grid");
  return true;
}

function page(direction) {
  if (state.view !== "grid") return moveTo(neighbour(state.cell, direction * 10));
  const rows = Math.max(1, Math.floor(grid.root.clientHeight / (grid.tile * sweep.ratio + GAP)) - 1);
  let cell = state.cell;
  for (let i = 0; i < rows; i++) cell = beside(cell, 0, direction);
  return moveTo(cell);
}

/** Single keys that do something; they can be switched off. */
function acts(key, event) {
  const goOn = event.shiftKey || event.getModifierState("CapsLock");
  if (/^[0-5]$/.test(key)) return setStars(Number(key), goOn), true;
  const digit = /^Digit([0-5])$/.exec(event.code);
  if (digit && event.shiftKey) return setStars(Number(digit[1]), true), true;
  const does = {
    g: () => setView("grid"), l: () => setView("loupe"), c: () => setView(state.view === "compare" ? state.mode : "slider"),
    b: () => setView("blink"), d: () => setView("difference"), f: () => setView("flip"), s: () => setView("survey"),
    p: () => decide(PICK, goOn), x: () => decide(REJECT, goOn),
    u: () => decide(verdictOf(state.cell) ? verdictOf(state.cell) : 0, false),
    n: noteDialog, z: takeBack, i: toggleInfo, t: toggleTable, m: hold, o: () => setBefore(-1),
    "[": () => moveTo(turnStack(state.cell, -1)), "]": () => moveTo(turnStack(state.cell, 1)),
    ",": () => moveDivider(-4), ".": () => moveDivider(4), "+": () => resize(1), "=": () => resize(1), "-": () => resize(-1),
    "?": helpDialog,
  };
  if (!does[key]) return false;
  does[key]();
  return true;
}

/** For paper: what is shown, as plain elements; at most so many. */
const PRINTED = 400;
function fillPrint() {
  const cells = (state.view === "survey" ? surveyed() : layout.order).slice(0, PRINTED);
  const left = (state.view === "survey" ? surveyed() : layout.order).length - cells.length;
  $("print").replaceChildren(
    h("h1", {}, shown(sweep.head.title)),
    h("p", {}, `${$("facts").textContent}. ${$("counts").textContent}.`, left ? ` The first ${number(cells.length)}; ${number(left)} more are not printed.` : ""),
    h("div", { class: "sheet" }, cells.map((cell) => h("figure", {}, thumbnail(cell),
      h("figcaption", {}, captionOf(cell) || said(imageOf(cell).name),
        h("b", {}, ["", " ✓", " ✕"][verdictOf(cell)] + " " + "★".repeat(starsOf(cell))),
        noteOf(cell) ? h("i", {}, ` ${shown(noteOf(cell))}`) : null)))),
  );
}
async function printShown() {
  document.querySelector("dialog")?.close();
  fillPrint();
  await Promise.allSettled([...$("print").querySelectorAll("img")].map((image) => image.decode()));
  print();
}

let resizeTimer = 0;
function resized() {
  clearTimeout(resizeTimer);
  resizeTimer = setTimeout(() => {
    refreshGrid("near");
    view.resized?.();
    for (const stage of stages) stage.arrange();
    redraw();
  }, 60);
}

function listen() {
  document.addEventListener("keydown", onKey);
  addEventListener("resize", resized);
  addEventListener("hashchange", () => {
    if (location.hash === ownHash) return;
    fromHash(location.hash);
    document.body.dataset.view = state.view;
    drawViews();
    drawBar();
    refreshGrid("middle");
    openView();
    moveTo(state.cell);
  });
  addEventListener("storage", (event) => {
    if (event.key !== picks.key) return;
    restorePicks(); // another tab of the same gallery
    refreshGrid();
    drawCounts();
    moveTo(state.cell);
  });
  addEventListener("pagehide", storePicks);
  addEventListener("beforeunload", (event) => {
    storePicks();
    if (!keep.works && !picks.saved) event.preventDefault();
  });
  addEventListener("beforeprint", fillPrint);
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("#bar details[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
}

/** After the first part: the page can be used. After later ones: the grid grows. */
function onPart() {
  tallied = null;
  if (sweep.varying) {
    refreshGrid();
    drawCounts();
    return;
  }
  sweep.varying = sweep.axes.map((_, axis) => axis)
    .filter((axis) => !sweep.axes[axis].hidden && (sweep.axes[axis].values.length > 1 || sweep.axes[axis].partial));
  sweep.ratio = sweep.head.ratio;
  picks.key = `relightflow:picks:${sweep.head.name}`;
  restoreSettings();
  if (narrow() || innerWidth < 1180) settings.info = false;
  restorePicks();
  applyTheme();
  placeAxes();
  if (narrow() && state.x >= 0 && sweep.axes[state.x].values.length > 4) state.x = state.y = -1;
  fromHash(location.hash);
  document.body.dataset.view = state.view;
  drawHeader();
  drawBar();
  drawInfo();
  openView();
  if (state.view !== "grid") refreshGrid();
  drawCounts();
  drawActions();
  listen();
}

function start() {
  const blocks = window.relightflowData;
  if (!blocks || !blocks.length) {
    $("main").replaceChildren(h("p", { class: "empty" }, "data.js is missing beside this page."));
    return;
  }
  loadParts(() => {
    onPart();
    if (sweep.loaded === sweep.size) document.body.dataset.ready = "true";
  });
}
start();
