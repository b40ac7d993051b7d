// The cells of the sweep. data.js pushes one head and then parts of columns; see docs/reference/gallery.md.

const sweep = {
  head: null,
  size: 0,
  loaded: 0,
  axes: [],
  /** One Int32Array an axis: the index of each cell's value, -1 where the cell has none. */
  at: [],
  status: null,
  look: null,
  cost: null,
  reason: new Map(),
  /** cell → [name, verdict, severity, words] of each check that it does not pass */
  checks: new Map(),
  passed: null,
  parts: [],
};
const STATUS = ["done", "failed", "unknown", "pending", "missing"];
const HEX = 16;

function receive(block) {
  if (block.format !== undefined) {
    sweep.head = block;
    sweep.size = block.cells;
    sweep.axes = block.axes;
    sweep.at = block.axes.map(() => new Int32Array(block.cells).fill(-1));
    sweep.status = new Uint8Array(block.cells).fill(4);
    sweep.look = new Int32Array(block.cells).fill(-1);
    sweep.cost = new Int32Array(block.cells).fill(-1);
    sweep.passed = new Uint8Array(block.cells);
    if (block.checked.length) addCheckFilters(block.checks);
    return;
  }
  const first = block.first;
  block.axes.forEach((column, axis) => {
    // a column in which every value is the same is that one value
    if (Array.isArray(column)) sweep.at[axis].set(column, first);
    else sweep.at[axis].fill(column, first, first + block.count);
  });
  for (const [name, column] of [["status", sweep.status], ["look", sweep.look], ["cost", sweep.cost], ["passed", sweep.passed]]) {
    if (Array.isArray(block[name])) column.set(block[name], first);
    else column.fill(block[name], first, first + block.count);
  }
  for (const [offset, index] of block.reasons) sweep.reason.set(first + offset, sweep.head.reasons[index]);
  for (const [offset, told] of block.checks) sweep.checks.set(first + offset, told.map((index) => sweep.head.checks[index]));
  sweep.parts.push({ first, count: block.count, job: block.job, result: block.result, path: block.path });
  sweep.loaded = Math.max(sweep.loaded, first + block.count);
}

function partOf(cell) {
  return sweep.parts.find((part) => cell >= part.first && cell < part.first + part.count);
}
function slice(cell, column) {
  const part = partOf(cell);
  const start = (cell - part.first) * HEX;
  return part[column].slice(start, start + HEX).trim();
}
const jobOf = (cell) => slice(cell, "job");
const resultOf = (cell) => slice(cell, "result");
const statusOf = (cell) => STATUS[sweep.status[cell]];
const hasImage = (cell) => sweep.status[cell] === 0 && resultOf(cell) !== "";
const reasonOf = (cell) => sweep.reason.get(cell) || null;
const costOf = (cell) => (sweep.cost[cell] < 0 ? null : sweep.head.costs[sweep.cost[cell]]);
const sizeOf = (cell) => (sweep.look[cell] < 0 ? null : sweep.head.looks[sweep.look[cell]]);
/** The checks that a cell does not pass: [name, verdict, severity, words]. */
const checksOf = (cell) => sweep.checks.get(cell) || [];
const failsCheck = (cell) => checksOf(cell).some(([, verdict, severity]) => verdict === "fail" && severity !== "info");
const doubtsCheck = (cell) => checksOf(cell).some(([, verdict]) => verdict === "unsure" || verdict === "error");
const axisNamed = (id) => sweep.axes.findIndex((axis) => axis.id === id);
const valueOf = (cell, axis) => {
  const index = sweep.at[axis][cell];
  return index < 0 ? undefined : sweep.axes[axis].values[index];
};
const wordOf = (axis, index) => (index < 0 ? "default" : said(sweep.axes[axis].values[index]));

/** The input image of a cell: {name, sha256, thumb, full}. */
function imageOf(cell) {
  const index = sweep.at[axisNamed("image")][cell];
  return sweep.head.images[index];
}

const thumbAt = (name) => (name ? `t/${name.slice(0, 2)}/${name}.webp` : "");
function thumbOf(cell) {
  return hasImage(cell) ? thumbAt(resultOf(cell)) : "";
}

/** The address of a cell's full image; empty where the page has none. */
function fullOf(cell) {
  if (!hasImage(cell)) return "";
  const { path, first } = partOf(cell);
  const [folder, name] = (path && path[cell - first]) || [];
  return name === undefined ? "" : sweep.head.folders[folder] + name; // escaped by the report
}

/** The parameters of a cell, as the recipe spells them. */
function parametersOf(cell) {
  const found = {};
  sweep.axes.forEach((axis, index) => {
    if (axis.kind === "parameter" && sweep.at[index][cell] >= 0) found[axis.name] = valueOf(cell, index);
  });
  return found;
}

function repeatOf(cell) {
  const axis = sweep.axes.findIndex((one) => one.kind === "repeat");
  return axis < 0 ? 0 : valueOf(cell, axis) || 0;
}

/** What tells a cell from the others: the values of the axes that vary. */
function captionOf(cell, leaveOut = [], between = " · ") {
  const words = [];
  for (const axis of sweep.varying) {
    if (leaveOut.includes(axis)) continue;
    const index = sweep.at[axis][cell];
    if (index >= 0) words.push(labelled(axis, index));
  }
  return words.join(between);
}

/** A value for a caption; a bare number needs the name of its axis. */
function labelled(axis, index) {
  const value = sweep.axes[axis].values[index];
  const word = wordOf(axis, index);
  if (sweep.axes[axis].kind === "repeat") return `repeat ${Number(value) + 1}`;
  return typeof value === "string" ? word : `${spaced(shown(sweep.axes[axis].name))} ${word}`;
}

/** Identity of what is picked: image bytes, cell, repeat. The backend and the run are not part of it. */
const identities = [];
function identityOf(cell) {
  if (identities[cell] === undefined) {
    const parameters = parametersOf(cell);
    const spelled = Object.keys(parameters).sort().map((name) => [name, parameters[name]]);
    identities[cell] = digest(JSON.stringify([imageOf(cell).sha256, spelled, repeatOf(cell)]));
  }
  return identities[cell];
}

/** Load the parts that data.js names, one after the other; `onPart` after each. */
function loadParts(onPart) {
  const blocks = (window.relightflowData = window.relightflowData || []);
  let next = 1;
  const step = () => {
    for (const block of blocks.splice(0)) receive(block);
    onPart();
    if (next >= sweep.head.parts) return;
    const script = h("script", { src: `data-${next}.js`, onload: step });
    script.addEventListener("error", () => announce(`data-${next - 1}.js could not be loaded`));
    next += 1;
    document.head.append(script);
  };
  step();
}
