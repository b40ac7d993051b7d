// What was chosen: a verdict, stars and a note for each identity; kept in the browser, with undo.

const PICK = 1;
const REJECT = 2;
const VERDICTS = ["none", "pick", "reject"];

const picks = {
  key: "",
  /** identity → [verdict, stars, note] */
  held: new Map(),
  past: [],
  saved: true,
  timer: 0,
};
const NOTHING = Object.freeze([0, 0, ""]);

const choiceOf = (cell) => picks.held.get(identityOf(cell)) || NOTHING;
const verdictOf = (cell) => choiceOf(cell)[0];
const starsOf = (cell) => choiceOf(cell)[1];
const noteOf = (cell) => choiceOf(cell)[2];

/** Change what is chosen for cells; `patch` is a part of {verdict, stars, note}. One step of undo. */
function choose(cells, patch) {
  const before = [];
  for (const cell of cells) {
    const id = identityOf(cell);
    const old = picks.held.get(id) || NOTHING;
    const changed = [patch.verdict ?? old[0], patch.stars ?? old[1], patch.note ?? old[2]];
    if (changed.every((value, index) => value === old[index])) continue;
    before.push([id, old, cell]);
    put(id, changed);
  }
  if (!before.length) return false;
  picks.past.push(before);
  if (picks.past.length > 1000) picks.past.shift();
  changedPicks();
  return true;
}

function put(id, choice) {
  if (choice[0] || choice[1] || choice[2]) picks.held.set(id, choice);
  else picks.held.delete(id);
}

/** Take the last change back; the cell it was about, or -1. */
function undo() {
  const before = picks.past.pop();
  if (!before) return -1;
  for (const [id, old] of before) put(id, old);
  changedPicks();
  return before[0][2];
}

function changedPicks() {
  picks.saved = false;
  tallied = null;
  clearTimeout(picks.timer);
  picks.timer = setTimeout(storePicks, 150);
}

function storePicks() {
  clearTimeout(picks.timer);
  keep.set(picks.key, JSON.stringify([...picks.held]));
}

function restorePicks() {
  try {
    const held = JSON.parse(keep.get(picks.key) || "[]");
    picks.held = new Map(held.filter(([id, c]) => typeof id === "string" && c.length === 3));
  } catch {
    picks.held = new Map();
  }
  tallied = null;
}

/** Counts over the cells of this page; what is the same choice is counted once. */
let tallied = null;
function tally() {
  if (tallied) return tallied;
  const seen = new Set();
  const found = { pick: 0, reject: 0, left: 0, stars: 0 };
  for (let cell = 0; cell < sweep.loaded; cell++) {
    const id = identityOf(cell);
    if (seen.has(id)) continue;
    seen.add(id);
    const [verdict, stars] = picks.held.get(id) || NOTHING;
    if (verdict === PICK) found.pick++;
    else if (verdict === REJECT) found.reject++;
    else found.left++;
    if (stars) found.stars++;
  }
  tallied = found;
  return found;
}

/** The picks as a file; docs/reference/picks.md, schemas/picks.schema.json. */
function picksDocument() {
  const list = [];
  const seen = new Set();
  for (let cell = 0; cell < sweep.loaded; cell++) {
    const id = identityOf(cell);
    const choice = picks.held.get(id);
    if (!choice || seen.has(id)) continue;
    seen.add(id);
    const image = imageOf(cell);
    const pick = {
      image_name: image.name,
      image_sha256: image.sha256,
      cell: parametersOf(cell),
      repeat: repeatOf(cell),
      verdict: VERDICTS[choice[0]],
      job: jobOf(cell),
    };
    if (choice[1]) pick.stars = choice[1];
    if (choice[2]) pick.note = choice[2];
    list.push(pick);
  }
  const run = sweep.head.runs[0];
  return {
    kind: "picks",
    version: 1,
    recipe: run.recipe,
    manifest_sha256: run.manifest_sha256,
    picks: list,
  };
}

const picksText = () => JSON.stringify(picksDocument(), null, 2) + "\n";

/** A row a pick, with a column for each parameter: for a spreadsheet, and `run --picks` reads it too. */
function picksTable() {
  const fixed = ["image", "image_sha256", "repeat", "verdict", "stars", "note", "job"];
  const names = sweep.axes.filter((axis) => axis.kind === "parameter").map((axis) => axis.name);
  const column = (name) => (fixed.includes(name) ? `parameter_${name}` : name);
  const rows = picksDocument().picks.map((pick) => [
    pick.image_name, pick.image_sha256, ...names.map((name) => pick.cell[name]),
    pick.repeat, pick.verdict, pick.stars || "", pick.note || "", pick.job,
  ]);
  const head = [...fixed.slice(0, 2), ...names.map(column), ...fixed.slice(2)];
  return [head, ...rows].map((row) => row.map(field).join(",") + "\r\n").join("");
}

/** One field of a CSV file that a spreadsheet never takes for a formula (owasp.org, CSV Injection). */
function field(value) {
  let text = value === undefined || value === null ? "" : String(value);
  if (typeof value === "string" && /^ *[=+\-@\t\r\n＝＋－＠]/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** Read a picks file into the page. Gives how many were taken, and how many name nothing here. */
function takePicks(text) {
  const document = JSON.parse(text);
  if (!document || document.kind !== "picks" || !Array.isArray(document.picks)) {
    throw new Error("this is not a picks file");
  }
  const known = new Map();
  for (let cell = 0; cell < sweep.loaded; cell++) {
    if (!known.has(identityOf(cell))) known.set(identityOf(cell), cell);
  }
  const shas = new Map(sweep.head.images.map((image) => [image.name, image.sha256]));
  const before = [];
  let strange = 0;
  for (const pick of document.picks) {
    const sha256 = pick.image_sha256 || shas.get(pick.image_name);
    const spelled = Object.keys(pick.cell || {}).sort().map((name) => [name, pick.cell[name]]);
    const id = digest(JSON.stringify([sha256, spelled, pick.repeat || 0]));
    if (!known.has(id)) {
      strange++;
      continue;
    }
    before.push([id, picks.held.get(id) || NOTHING, known.get(id)]);
    const verdict = Math.max(0, VERDICTS.indexOf(pick.verdict ?? "pick"));
    put(id, [verdict, clamp(Math.trunc(Number(pick.stars) || 0), 0, 5), String(pick.note || "")]);
  }
  if (before.length) {
    picks.past.push(before);
    changedPicks();
  }
  return { taken: before.length, strange };
}
