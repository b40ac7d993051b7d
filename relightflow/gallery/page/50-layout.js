// State → rows of places: which cells stand where, in which order. No element is made here.

const layout = {
  version: 0,
  /** {kind: "group", label} | {kind: "row", label, places: [[cells]…], from: first place} */
  rows: [],
  /** Value indices of the columns; null: images are wrapped, without an axis across. */
  columns: null,
  /** How many places a wrapped row has. */
  wide: 1,
  /** All visible cells in reading order, and each cell's place in it. */
  order: [],
  place: new Map(),
  /** cell → [row, column] */
  spot: new Map(),
};

function passesAxes(cell) {
  for (const [axis, kept] of state.only) if (!kept.has(sweep.at[axis][cell])) return false;
  return true;
}

/** Build everything anew. `wide`: places in a row where images are wrapped. */
function build(wide) {
  const shows = SHOWS[state.show][1];
  const cells = [];
  for (let cell = 0; cell < sweep.loaded; cell++) if (passesAxes(cell)) cells.push(cell);
  layout.version += 1;
  layout.rows = [];
  layout.wide = wide;
  const groups = grouped(cells);
  if (state.x < 0) wrap(groups, shows, wide);
  else tabulate(cells, groups, shows);
  index();
}

/** Cells by the values of the group axes, in the order of those values. */
function grouped(cells) {
  if (!state.groups.length) return [["", cells]];
  const found = new Map();
  for (const cell of cells) {
    const key = state.groups.map((axis) => sweep.at[axis][cell]).join(",");
    const members = found.get(key);
    if (members) members.push(cell);
    else found.set(key, [cell]);
  }
  const keys = [...found.keys()].sort((a, b) => byNumbers(a, b));
  return keys.map((key) => [groupLabel(found.get(key)[0]), found.get(key)]);
}

function byNumbers(a, b) {
  const left = a.split(",");
  const right = b.split(",");
  for (let i = 0; i < left.length; i++) {
    if (left[i] !== right[i]) return Number(left[i]) - Number(right[i]);
  }
  return 0;
}

function groupLabel(cell) {
  return state.groups.map((axis) => {
    const word = labelled(axis, sweep.at[axis][cell]);
    return sweep.axes[axis].kind === "image" ? word : `${spaced(shown(sweep.axes[axis].name))}: ${word}`;
  }).join(" · ");
}

function heading(label, cells) {
  layout.rows.push({ kind: "group", label, count: cells });
}

/** Images one after the other, as many in a row as fit. */
function wrap(groups, shows, wide) {
  layout.columns = null;
  for (const [label, members] of groups) {
    const places = stacked(members, shows);
    if (!places.length) continue;
    if (label) heading(label, places.length);
    for (let from = 0; from < places.length; from += wide) {
      layout.rows.push({ kind: "row", label: "", places: places.slice(from, from + wide), from });
    }
  }
}

/** In a wrapped view only repeats share a place. */
function stacked(cells, shows) {
  const wanted = cells.filter((cell) => shows(cell));
  const repeat = sweep.varying.find((axis) => sweep.axes[axis].kind === "repeat");
  if (repeat === undefined || state.groups.includes(repeat) || state.y === repeat) {
    return wanted.map((cell) => [cell]);
  }
  const others = sweep.axes.map((_, axis) => axis).filter((axis) => axis !== repeat);
  const found = new Map();
  for (const cell of wanted) {
    const key = others.map((axis) => sweep.at[axis][cell]).join(",");
    const stack = found.get(key);
    if (stack) stack.push(cell);
    else found.set(key, [cell]);
  }
  return [...found.values()];
}

/** One axis across, another one down. */
function tabulate(cells, groups, shows) {
  const { x, y } = state;
  const columns = [...new Set(cells.map((cell) => sweep.at[x][cell]))].sort((a, b) => a - b);
  layout.columns = columns;
  const across = new Map(columns.map((value, at) => [value, at]));
  for (const [label, members] of groups) {
    const down = new Map();
    for (const cell of members) {
      const value = y < 0 ? 0 : sweep.at[y][cell];
      let row = down.get(value);
      if (!row) down.set(value, (row = new Map()));
      const column = across.get(sweep.at[x][cell]);
      const stack = row.get(column);
      if (stack) stack.push(cell);
      else row.set(column, [cell]);
    }
    const values = [...down.keys()].sort((a, b) => a - b);
    const rows = [];
    for (const value of values) {
      const places = columns.map((_, column) => (down.get(value).get(column) || []).filter(shows));
      if (!places.some((stack) => stack.length)) continue;
      rows.push({ kind: "row", label: y < 0 ? "" : wordOf(y, value), places, from: 0, value });
    }
    if (!rows.length) continue;
    if (label) heading(label, rows.reduce((sum, row) => sum + row.places.filter((p) => p.length).length, 0));
    layout.rows.push(...rows);
  }
}

function index() {
  layout.order = [];
  layout.place = new Map();
  layout.spot = new Map();
  layout.rows.forEach((row, at) => {
    if (row.kind !== "row") return;
    row.places.forEach((stack, column) => {
      for (const cell of stack) {
        layout.spot.set(cell, [at, column]);
        layout.place.set(cell, layout.order.length);
        layout.order.push(cell);
      }
    });
  });
}

/** The cell `step` further in reading order; where the current one is hidden, the next one that was after it. */
function neighbour(cell, step) {
  const { order, place } = layout;
  if (!order.length) return cell;
  const at = place.get(cell);
  if (at !== undefined) return order[clamp(at + step, 0, order.length - 1)];
  return nearestShown(cell);
}

/** After a filter took `cell` away: what stood after it in `before` and is still here, else before it. */
function nearestShown(cell, before = lastOrder) {
  const { place, order } = layout;
  if (place.has(cell) || !order.length) return cell;
  const at = before.indexOf(cell);
  if (at >= 0) {
    for (let i = at + 1; i < before.length; i++) if (place.has(before[i])) return before[i];
    for (let i = at - 1; i >= 0; i--) if (place.has(before[i])) return before[i];
  }
  return order[0];
}
let lastOrder = [];

/** The cell above, below, left or right of one in the table; the same where there is none. */
function beside(cell, dx, dy) {
  const spot = layout.spot.get(cell);
  if (!spot) return nearestShown(cell);
  let [row, column] = spot;
  if (dx && layout.columns === null) return neighbour(cell, dx * stackOf(cell).length);
  for (;;) {
    row += dy;
    column += dx;
    const found = layout.rows[row];
    if (!found || column < 0 || column >= (layout.columns || { length: layout.wide }).length) return cell;
    if (found.kind !== "row") continue;
    const stack = found.places[Math.min(column, found.places.length - 1)];
    if (stack && stack.length) return topOf(stack);
  }
}

/** Cells that share a place, and the one of them that lies on top: the last one looked at. */
const tops = new Map();
function stackOf(cell) {
  const spot = layout.spot.get(cell);
  return spot ? layout.rows[spot[0]].places[spot[1]] : [cell];
}
function topOf(stack) {
  if (stack.length < 2) return stack[0];
  const top = tops.get(stack[0]);
  return top !== undefined && stack.includes(top) ? top : stack[0];
}
