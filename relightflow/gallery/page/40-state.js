// What is looked at, and how: one plain object, the same as the page's address after the #.

const VIEWS = ["grid", "loupe", "compare", "flip", "survey"];
const SHOWS = {
  all: ["All", () => true],
  undecided: ["Undecided", (cell) => verdictOf(cell) === 0],
  picked: ["Picked", (cell) => verdictOf(cell) === PICK],
  rejected: ["Rejected", (cell) => verdictOf(cell) === REJECT],
  starred: ["With stars", (cell) => starsOf(cell) > 0],
  noted: ["With a note", (cell) => noteOf(cell) !== ""],
  done: ["With an image", hasImage],
  problems: ["Without an image", (cell) => !hasImage(cell)],
  failed: ["Failed", (cell) => statusOf(cell) === "failed"],
  unknown: ["Unknown outcome", (cell) => statusOf(cell) === "unknown"],
};

/** Filters by checks, where there are any: all failures, each check that fails somewhere, doubts. */
function addCheckFilters(told) {
  const names = [...new Set(told.filter(([, verdict]) => verdict === "fail").map(([name]) => name))].sort();
  SHOWS["check-failed"] = ["Failed a check", failsCheck];
  for (const name of names) {
    const failed = (cell) => checksOf(cell).some(([one, verdict]) => one === name && verdict === "fail");
    SHOWS[`check:${name}`] = [`Failed: ${shown(name)}`, failed];
  }
  SHOWS["check-unsure"] = ["Check unsure", doubtsCheck];
}

const SIZES = [80, 104, 136, 176, 224, 288, 360];

const state = {
  view: "grid",
  /** compare: slider, side, blink or difference. */
  mode: "slider",
  x: -1,
  y: -1,
  groups: [],
  /** axis → Set of the value indices to keep */
  only: new Map(),
  show: "all",
  cell: 0,
  /** What compare puts first: -1 is the input image, else a cell. */
  before: -1,
  /** Index of SIZES; -1: what fits the window. */
  size: -1,
};

/** Settings of the person, kept for all galleries. */
const settings = { advance: false, keys: true, theme: "", info: true };

function restoreSettings() {
  try {
    Object.assign(settings, JSON.parse(keep.get("relightflow:settings") || "{}"));
  } catch {
    /* as they were */
  }
}
function storeSettings() {
  keep.set("relightflow:settings", JSON.stringify(settings));
}

/** How the axes are placed when nobody has said: at most eight columns, images as groups. */
function placeAxes() {
  const varying = sweep.varying;
  const kind = (axis) => sweep.axes[axis].kind;
  const long = (axis) => sweep.axes[axis].values.length;
  const flat = varying.filter((axis) => kind(axis) !== "repeat");
  const fits = flat.filter((axis) => kind(axis) !== "image" && long(axis) <= 12);
  const images = flat.filter((axis) => kind(axis) === "image");
  state.x = state.y = -1;
  state.groups = [];
  if (!fits.length) return;
  const backend = fits.find((axis) => kind(axis) === "backend" || kind(axis) === "run");
  state.x = backend ?? fits[Math.max(0, fits.length - 2)];
  const rest = fits.filter((axis) => axis !== state.x);
  if (!rest.length) {
    state.y = images[0] ?? -1;
    return;
  }
  state.y = rest.pop();
  state.groups = [...images, ...rest];
  // the longer axis goes across where the window is wider than high, else down
  const wide = innerWidth > innerHeight;
  if (backend === undefined && (wide ? long(state.x) < long(state.y) : long(state.x) > long(state.y))) {
    [state.x, state.y] = [state.y, state.x];
  }
}

const roleOf = (axis) =>
  axis === state.x ? "x" : axis === state.y ? "y" : state.groups.includes(axis) ? "group" : "stack";

/** Give an axis a place; who stood there takes the axis's old one. */
function placeAxis(axis, role) {
  const old = roleOf(axis);
  if (old === role) return;
  const other = role === "x" ? state.x : role === "y" ? state.y : -1;
  state.groups = state.groups.filter((one) => one !== axis);
  if (state.x === axis) state.x = -1;
  if (state.y === axis) state.y = -1;
  if (role === "x") state.x = axis;
  if (role === "y") state.y = axis;
  if (role === "group") state.groups = sweep.varying.filter((one) => one === axis || state.groups.includes(one));
  if (other >= 0) {
    if (old === "x") state.x = other;
    else if (old === "y") state.y = other;
    else state.groups = sweep.varying.filter((one) => one === other || state.groups.includes(one));
  }
}

/** The state as text for an address. Values are named, so that a link outlives a new report. */
function toHash() {
  const parts = new URLSearchParams();
  parts.set("view", state.view === "compare" ? state.mode : state.view);
  const id = (axis) => (axis < 0 ? "" : sweep.axes[axis].id);
  parts.set("x", id(state.x));
  parts.set("y", id(state.y));
  parts.set("groups", state.groups.map(id).join(","));
  if (state.show !== "all") parts.set("show", state.show);
  for (const [axis, kept] of state.only) {
    const values = sweep.axes[axis].values;
    const listed = [...kept].sort((a, b) => a - b).map((index) => (index < 0 ? null : values[index]));
    parts.set(`only.${id(axis)}`, JSON.stringify(listed));
  }
  parts.set("cell", cellName(state.cell));
  if (state.before >= 0) parts.set("before", cellName(state.before));
  return "#" + parts.toString().replace(/%2C/g, ",");
}

/** A cell's name in a link: its job, and which of the cells with this job it is. */
function cellName(cell) {
  const job = jobOf(cell);
  const twins = cellsOf(job);
  return twins.length > 1 ? `${job}.${twins.indexOf(cell)}` : job;
}

let jobs = null;
let jobsLoaded = 0;
function cellsOf(job) {
  if (!jobs || jobsLoaded !== sweep.loaded) {
    jobs = new Map();
    jobsLoaded = sweep.loaded;
    for (let cell = 0; cell < sweep.loaded; cell++) {
      const name = jobOf(cell);
      const twins = jobs.get(name);
      if (twins) twins.push(cell);
      else jobs.set(name, [cell]);
    }
  }
  return jobs.get(job) || [];
}

function fromHash(text) {
  const parts = new URLSearchParams(text.replace(/^#/, ""));
  if (!parts.has("view")) return;
  const view = parts.get("view");
  if (MODES.includes(view)) [state.view, state.mode] = ["compare", view];
  else if (VIEWS.includes(view)) state.view = view;
  const axis = (name) => (name ? axisNamed(name) : -1);
  state.x = axis(parts.get("x"));
  state.y = axis(parts.get("y"));
  const taken = [state.x, state.y];
  state.groups = (parts.get("groups") || "").split(",").map(axis)
    .filter((one) => one >= 0 && !taken.includes(one));
  state.show = parts.get("show") in SHOWS ? parts.get("show") : "all";
  state.only = new Map();
  for (const [name, value] of parts) if (name.startsWith("only.")) readOnly(axis(name.slice(5)), value);
  state.cell = readCell(parts.get("cell")) ?? state.cell;
  state.before = readCell(parts.get("before")) ?? -1;
}

function readOnly(axis, text) {
  if (axis < 0) return;
  let listed;
  try {
    listed = JSON.parse(text);
  } catch {
    return;
  }
  if (!Array.isArray(listed)) return;
  const values = sweep.axes[axis].values;
  const found = listed.map((value) => (value === null ? -1 : values.indexOf(value)));
  state.only.set(axis, new Set(found.filter((index, at) => index >= 0 || listed[at] === null)));
}

function readCell(name) {
  if (!name) return undefined;
  const [job, twin] = name.split(".");
  const twins = cellsOf(job);
  return twins[Number(twin) || 0];
}

const MODES = ["slider", "side", "blink", "difference"];
let hashTimer = 0;
let ownHash = "";

/** Write the state into the address, at most a few times a second. */
function writeHash() {
  clearTimeout(hashTimer);
  hashTimer = setTimeout(() => {
    ownHash = toHash();
    history.replaceState(null, "", ownHash);
  }, 200);
}
