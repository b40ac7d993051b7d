// The grid: only the rows and columns that can be seen exist as elements.

const GAP = 6;
const TALLEST = 8e6; // a browser's elements end at some 17 to 33 million pixels
const grid = {
  root: null,
  body: null,
  head: null,
  /** row index → {element, from, to, version} */
  made: new Map(),
  /** cell → tile */
  tiles: new Map(),
  tops: new Float64Array(1),
  tile: 0,
  tall: 0,
  side: 0,
  version: -1,
  queued: false,
};

function openGrid() {
  grid.body = h("div", { class: "cells", role: "rowgroup" });
  grid.head = h("div", { class: "heads", role: "rowgroup" });
  grid.root = h(
    "div",
    {
      id: "grid", role: "grid", tabindex: "0", "aria-label": "Images", "aria-multiselectable": "true",
      onscroll: queuePaint, onclick: gridClick, ondblclick: gridOpen,
    },
    grid.head, grid.body,
  );
  grid.made.clear();
  grid.tiles.clear();
  grid.version = -1;
  $("main").replaceChildren(grid.root);
}

/** Sizes of everything, from the window's width. */
function measure() {
  const wrapped = state.x < 0;
  const width = $("main").clientWidth;
  grid.side = wrapped || state.y < 0 ? 0 : narrow() ? 0 : clamp(width * 0.14, 84, 170);
  grid.tile = state.size < 0 ? fitting(width) : SIZES[state.size];
  if (narrow()) grid.tile = Math.min(grid.tile, Math.floor((width - GAP * 3) / 2));
  if (wrapped) {
    const fit = Math.max(1, Math.floor((width - 14 - GAP) / (grid.tile + GAP)));
    grid.tile = Math.floor((width - 14 - GAP) / fit) - GAP;
    return fit;
  }
  return 1;
}

/** A size with which a table fills the width, and two rows and more fit the height. */
function fitting(width) {
  if (state.x < 0) return narrow() ? 150 : 176;
  const columns = Math.max(1, sweep.axes[state.x].values.length);
  const high = ($("main").clientHeight * 0.42) / sweep.ratio;
  return Math.floor(clamp(Math.min((width - grid.side - 16) / columns - GAP, high), narrow() ? 84 : 104, 300));
}

const captioned = () => layout.columns === null;
const rowLabelAbove = () => layout.columns !== null && state.y >= 0 && grid.side === 0;

function heightOf(row) {
  if (row.kind === "group") return 34;
  const caption = captioned() ? 20 : 0;
  return Math.round(grid.tile * sweep.ratio) + caption + GAP + (rowLabelAbove() ? 20 : 0);
}

/** Lay out and paint; keeps what is in view in view. */
function refreshGrid(toCursor) {
  const wide = measure();
  lastOrder = layout.order;
  build(wide);
  if (!layout.place.has(state.cell) && layout.order.length) state.cell = nearestShown(state.cell);
  grid.tops = new Float64Array(layout.rows.length + 1);
  layout.rows.forEach((row, at) => (grid.tops[at + 1] = grid.tops[at] + heightOf(row)));
  grid.tall = grid.tops[layout.rows.length];
  if (state.view !== "grid") return;
  if (!grid.root || !grid.root.isConnected) openGrid();
  const columns = layout.columns ? layout.columns.length : layout.wide;
  grid.root.setAttribute("aria-rowcount", layout.rows.length + (layout.columns ? 1 : 0));
  grid.root.setAttribute("aria-colcount", columns + (grid.side ? 1 : 0));
  const wideness = grid.side + columns * (grid.tile + GAP) + GAP;
  grid.body.style.height = `${Math.min(grid.tall, TALLEST)}px`;
  grid.body.style.width = grid.head.style.width = layout.columns ? `${wideness}px` : "100%";
  if (!layout.order.length) {
    grid.body.replaceChildren(h("div", { role: "row" }, h("div", { role: "gridcell", class: "empty" }, emptyWords())));
    grid.made.clear();
    grid.head.replaceChildren();
    return;
  }
  if (toCursor) scrollToCell(state.cell, toCursor);
  paint();
}

function emptyWords() {
  if (!sweep.size) return "The sweep has no cell.";
  return `Nothing fits the filter “${SHOWS[state.show][0].toLowerCase()}”. Choose “All” to see everything.`;
}

/** Scrolling where the table is taller than a browser allows: positions are scaled. */
const viewHeight = () => grid.root.clientHeight - grid.head.offsetHeight;
const stretch = () => {
  const view = viewHeight();
  return grid.tall > TALLEST ? (grid.tall - view) / (TALLEST - view) : 1;
};
const scrolled = () => grid.root.scrollTop * stretch();

function queuePaint() {
  if (grid.queued) return;
  grid.queued = true;
  requestAnimationFrame(() => {
    grid.queued = false;
    if (state.view === "grid") paint();
  });
}

/** The first row that ends below `y`. */
function rowAt(y) {
  let low = 0;
  let high = layout.rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (grid.tops[middle + 1] <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}

function paint() {
  const view = grid.root.clientHeight;
  const top = scrolled();
  const first = Math.max(0, rowAt(top - view * 0.4));
  const last = rowAt(top + view * 1.4);
  const [from, to] = columnsInView();
  const fresh = grid.version !== layout.version;
  if (fresh) {
    grid.body.replaceChildren();
    grid.made.clear();
    grid.tiles.clear();
    grid.version = layout.version;
  }
  paintHead(from, to);
  for (const [row, made] of grid.made) {
    if (row < first || row > last || made.from !== from || made.to !== to) dropRow(row, made);
  }
  const shift = grid.root.scrollTop - top;
  for (let row = first; row <= last; row++) {
    let made = grid.made.get(row);
    if (!made) {
      made = { element: makeRow(row, from, to), from, to };
      grid.made.set(row, made);
      placeRow(row, made.element);
    }
    made.element.style.top = `${grid.tops[row] + (grid.tall > TALLEST ? shift : 0)}px`;
  }
  showCursor();
}

/** Rows stand in their order, so that a screen reader meets them so. */
function placeRow(row, element) {
  let after = null;
  for (const [other, made] of grid.made) {
    if (other > row && (after === null || other < after[0])) after = [other, made.element];
  }
  grid.body.insertBefore(element, after && after[1]);
}

/** Images that are not seen any more give their memory back: their elements are used again. */
const spare = [];
function letGo(element) {
  for (const image of element.querySelectorAll("img")) {
    image.remove();
    image.removeAttribute("src");
    if (spare.length < 200) spare.push(image);
  }
}

function dropRow(row, made) {
  for (const tile of made.element.querySelectorAll("[data-cell]")) grid.tiles.delete(Number(tile.dataset.cell));
  letGo(made.element);
  made.element.remove();
  grid.made.delete(row);
}

function columnsInView() {
  if (!layout.columns) return [0, layout.wide - 1];
  const step = grid.tile + GAP;
  const left = grid.root.scrollLeft;
  const from = clamp(Math.floor(left / step) - 2, 0, layout.columns.length - 1);
  const to = clamp(Math.ceil((left + grid.root.clientWidth - grid.side) / step) + 2, 0, layout.columns.length - 1);
  return [from, to];
}

const leftOf = (column) => grid.side + GAP + column * (grid.tile + GAP);

function paintHead(from, to) {
  const key = `${layout.version}:${from}:${to}:${grid.tile}`;
  if (grid.head.dataset.key === key) return;
  grid.head.dataset.key = key;
  grid.head.hidden = !layout.columns;
  if (!layout.columns) {
    grid.head.replaceChildren();
    return;
  }
  const row = h("div", { role: "row", class: "head", "aria-rowindex": 1 });
  if (grid.side) {
    const [across, down] = [state.x, state.y].map((axis) => spaced(shown(sweep.axes[axis].name)));
    const element = h("div", { role: "columnheader", class: "corner", "aria-colindex": 1, title: `${down} down, ${across} across` },
      h("span", {}, `${across} →`), h("span", {}, `${down} ↓`));
    element.style.width = `${grid.side}px`;
    row.append(element);
  }
  for (let column = from; column <= to; column++) {
    const word = wordOf(state.x, layout.columns[column]);
    const element = h("div", {
      role: "columnheader", class: "column", title: word, "aria-colindex": column + 1 + (grid.side ? 1 : 0),
    }, word);
    element.style.left = `${leftOf(column)}px`;
    element.style.width = `${grid.tile}px`;
    row.append(element);
  }
  grid.head.replaceChildren(row);
}

function makeRow(at, from, to) {
  const row = layout.rows[at];
  const element = h("div", {
    role: "row", class: row.kind, "aria-rowindex": at + 1 + (layout.columns ? 1 : 0),
  });
  element.style.height = `${heightOf(row) - (row.kind === "row" ? GAP : 0)}px`;
  if (row.kind === "group") {
    const columns = (layout.columns ? layout.columns.length : layout.wide) + (grid.side ? 1 : 0);
    element.append(h("div", { role: "rowheader", class: "label", "aria-colspan": columns },
      h("b", {}, row.label), h("span", {}, ` ${number(row.count)}`)));
    return element;
  }
  if (grid.side || rowLabelAbove()) element.append(rowHeader(row));
  for (let column = from; column <= Math.min(to, row.places.length - 1); column++) {
    element.append(makePlace(row.places[column], column));
  }
  return element;
}

function rowHeader(row) {
  const element = h("div", {
    role: "rowheader", class: grid.side ? "side" : "above", title: row.label, "aria-colindex": 1,
  }, row.label);
  if (grid.side) element.style.width = `${grid.side}px`;
  return element;
}

function makePlace(stack, column) {
  const colindex = column + 1 + (grid.side ? 1 : 0);
  const element = stack.length ? makeTile(stack, colindex) : h("div", {
    role: "gridcell", class: "tile none", "aria-colindex": colindex, "aria-label": "nothing here",
  });
  element.style.left = `${leftOf(column)}px`;
  element.style.width = `${grid.tile}px`;
  element.style.height = `${Math.round(grid.tile * sweep.ratio) + (captioned() ? 20 : 0)}px`;
  if (rowLabelAbove()) element.style.top = "20px";
  return element;
}

function makeTile(stack, colindex) {
  const cell = topOf(stack);
  const tile = h("div", { role: "gridcell", class: "tile", "aria-colindex": colindex, id: `cell-${cell}` });
  fillTile(tile, cell, stack);
  return tile;
}

/** What a tile shows: the image or why there is none, its badges, and where images wrap a caption. */
function fillTile(tile, cell, stack) {
  tile.dataset.cell = cell;
  tile.id = `cell-${cell}`;
  grid.tiles.set(cell, tile);
  const box = h("div", { class: "box" });
  box.style.height = `${Math.round(grid.tile * sweep.ratio)}px`;
  box.append(thumbnail(cell));
  box.append(h("span", { class: "badges", "aria-hidden": "true" }));
  if (stack.length > 1) box.append(stackBadge(cell, stack));
  tile.replaceChildren(box);
  if (captioned()) {
    const words = captionOf(cell, state.groups);
    tile.append(h("div", { class: "caption", title: words, "aria-hidden": "true" }, words));
  }
  decorate(cell);
}

/** The thumbnail of a cell, or a hatched box with the word for what became of it. */
function thumbnail(cell) {
  const thumb = thumbOf(cell);
  if (thumb) {
    const image = spare.pop() || h("img", { alt: "", draggable: "false", decoding: "async" });
    image.src = thumb;
    return image;
  }
  const status = statusOf(cell);
  const reason = reasonOf(cell);
  const word = status === "done" ? "image not here" : status;
  return h("span", { class: `hatched ${status}` }, h("b", {}, word), reason ? h("small", {}, shown(reason.message)) : null);
}

function stackBadge(cell, stack) {
  const at = stack.indexOf(cell);
  return h("span", { class: "stack", "aria-hidden": "true" },
    h("i", { "data-turn": "-1", title: "previous in this place" }, "‹"),
    `${at + 1}/${stack.length}`,
    h("i", { "data-turn": "1", title: "next in this place ( ] )" }, "›"));
}

/** Verdict, stars, note and cursor of a tile that is on the page. */
function decorate(cell) {
  const tile = grid.tiles.get(cell);
  if (!tile) return;
  const [verdict, stars, note] = choiceOf(cell);
  tile.classList.toggle("picked", verdict === PICK);
  tile.classList.toggle("rejected", verdict === REJECT);
  tile.setAttribute("aria-selected", String(verdict === PICK));
  tile.setAttribute("aria-label", spoken(cell));
  const badges = tile.querySelector(".badges");
  badges.replaceChildren();
  if (verdict === PICK) badges.append(h("span", { class: "flag pick" }, "✓"));
  if (verdict === REJECT) badges.append(h("span", { class: "flag reject" }, "✕"));
  if (stars) badges.append(h("span", { class: "flag" }, "★".repeat(stars)));
  if (note) badges.append(h("span", { class: "flag" }, "✎"));
  const [mark, words] = checkBadge(cell);
  if (mark) badges.append(h("span", { class: mark === "!" ? "flag check bad" : "flag check", title: words }, mark));
}

/** A mark for what checks say of a cell, and the words of it; nothing where all is well. */
function checkBadge(cell) {
  const told = checksOf(cell);
  const failed = told.filter(([, verdict, severity]) => verdict === "fail" && severity !== "info");
  const names = (found) => found.map(([name]) => shown(name)).join(", ");
  if (failed.length) return ["!", `fails ${names(failed)}`];
  const broken = told.filter(([, verdict]) => verdict === "error");
  return broken.length ? ["?", `could not be checked: ${names(broken)}`] : ["", ""];
}

/** A cell in words, for a screen reader. */
function spoken(cell) {
  const words = [captionOf(cell, [], ", ") || said(imageOf(cell).name)];
  if (!hasImage(cell)) words.push(statusOf(cell) === "done" ? "image not here" : statusOf(cell));
  const [verdict, stars, note] = choiceOf(cell);
  if (verdict) words.push(verdict === PICK ? "picked" : "rejected");
  if (stars) words.push(count(stars, "star"));
  if (note) words.push("with a note");
  if (checkBadge(cell)[1]) words.push(checkBadge(cell)[1]);
  return words.join(", ");
}

/** A choice may be shared by several cells: the same image and cell from two backends. */
function decorateAll() {
  for (const cell of grid.tiles.keys()) decorate(cell);
}

function showCursor() {
  for (const tile of grid.body.querySelectorAll(".cursor")) tile.classList.remove("cursor");
  const tile = grid.tiles.get(state.cell);
  if (!tile) {
    grid.root.removeAttribute("aria-activedescendant");
    return;
  }
  tile.classList.add("cursor");
  grid.root.setAttribute("aria-activedescendant", tile.id);
}

/** Bring a cell into view; `how`: "near" moves no more than needed, "middle" centres it. */
function scrollToCell(cell, how) {
  const spot = layout.spot.get(cell);
  if (!spot || !grid.root) return;
  const view = viewHeight();
  const [top, bottom] = [grid.tops[spot[0]], grid.tops[spot[0] + 1]];
  let want = scrolled();
  if (how === "middle") want = (top + bottom - view) / 2;
  else if (top < want) want = top - (spot[0] && layout.rows[spot[0] - 1].kind === "group" ? 34 : 0);
  else if (bottom > want + view) want = bottom - view + GAP;
  const target = clamp(want, 0, Math.max(0, grid.tall - view)) / stretch();
  if (Math.abs(target - grid.root.scrollTop) > 0.5) grid.root.scrollTop = target;
  if (!layout.columns) return;
  const left = leftOf(spot[1]);
  if (left - grid.side < grid.root.scrollLeft) grid.root.scrollLeft = left - grid.side - GAP;
  else if (left + grid.tile + GAP > grid.root.scrollLeft + grid.root.clientWidth) {
    grid.root.scrollLeft = left + grid.tile + GAP - grid.root.clientWidth;
  }
}

/** Show another cell of a stack on top. */
function turnStack(cell, step) {
  const stack = stackOf(cell);
  if (stack.length < 2) return cell;
  const next = stack[(stack.indexOf(cell) + step + stack.length) % stack.length];
  tops.set(stack[0], next);
  const tile = grid.tiles.get(cell);
  if (tile) {
    grid.tiles.delete(cell);
    fillTile(tile, next, stack);
  }
  return next;
}

function gridClick(event) {
  const tile = event.target.closest("[data-cell]");
  if (!tile) return;
  const cell = Number(tile.dataset.cell);
  const turn = event.target.dataset.turn;
  if (turn) {
    moveTo(turnStack(cell, Number(turn)));
    return;
  }
  const again = cell === state.cell && event.pointerType === "touch";
  moveTo(cell);
  if (again) setView("loupe");
}

function gridOpen(event) {
  if (event.target.closest("[data-cell]") && !event.target.dataset.turn) setView("loupe");
}
