// Everything around the images: header, axes and filters, details, actions, dialogs.

const button = (label, onclick, props) => h("button", { type: "button", onclick, ...props }, label);

function drawHeader() {
  const { head } = sweep;
  document.title = `${shown(head.title)} · gallery`;
  $("title").textContent = shown(head.title);
  const facts = [count(sweep.size, "cell")];
  const bad = head.counts.failed + head.counts.unknown;
  if (bad) facts.push(`${number(head.counts.failed)} failed, ${number(head.counts.unknown)} unknown`);
  const open = head.counts.pending + head.counts.missing;
  if (open) facts.push(`${number(open)} not made yet`);
  facts.push(`${dollars(head.spent)} spent`);
  const failing = [...sweep.checks.keys()].filter(failsCheck).length;
  if (failing) facts.push(`${count(failing, "cell")} failed a check`);
  if (head.doubtful) facts.push(`up to ${dollars(head.doubtful)} in doubt`);
  if (head.rejected.length) facts.push(`${count(head.rejected.length, "input image")} not usable`);
  $("facts").textContent = facts.join(" · ");
  drawViews();
  drawTools();
}

function drawViews() {
  const views = [
    ["grid", "Grid", "g"], ["loupe", "Loupe", "l"], ["compare", "Compare", "c"],
    ["flip", "Flipbook", "f"], ["survey", "Survey", "s"],
  ];
  $("views").replaceChildren(...views.map(([name, label, key]) => button(label, () => setView(name), {
    "aria-current": state.view === name ? "page" : null, title: `${label} (${key})`,
  })));
}

function drawTools() {
  $("tools").replaceChildren(
    button("Undo", takeBack, { title: "Undo (z)", disabled: !picks.past.length }),
    button("Save picks", saveDialog, { class: "primary", title: "Save picks (Ctrl+S)" }),
    button("Help", helpDialog, { title: "Keys and settings (?)" }),
  );
}

function drawCounts() {
  const found = tally();
  const words = [
    h("b", { class: "pick" }, `${number(found.pick)} picked`),
    h("span", {}, `${number(found.reject)} rejected`),
    h("span", {}, `${number(found.left)} left`),
  ];
  const price = sweep.head.price;
  if (price) {
    const high = dollars(price.high * found.pick);
    const range = price.low === price.high ? high : `${dollars(price.low * found.pick)} to ${high}`;
    words.push(h("span", { class: "price", title: `${price.model}, at the list price` }, `on ${price.backend}: ${range}`));
  }
  $("counts").replaceChildren(...words.flatMap((word, at) => (at ? [" · ", word] : [word])));
  $("tools").firstChild.disabled = !picks.past.length;
}

/** Axes: where each one stands, and which of its values are kept. */
function drawBar() {
  const open = [...document.querySelectorAll("#bar details[open]")].map((one) => one.dataset.axis);
  const show = h("select", { "aria-label": "Show", onchange: (event) => setShow(event.target.value) },
    Object.entries(SHOWS).map(([name, [label]]) => h("option", { value: name }, label)));
  show.value = state.show;
  const chips = sweep.varying.map((axis) => axisChip(axis, open.includes(String(axis))));
  const sizes = h("span", { class: "sizes", role: "group", "aria-label": "Size of the images" },
    button("−", () => resize(-1), { "aria-label": "Smaller images", title: "Smaller (-)" }),
    button("+", () => resize(1), { "aria-label": "Larger images", title: "Larger (+)" }));
  const layouts = button(state.x < 0 ? "As a table" : "Without a table", toggleTable, { title: "Table or plain sequence (t)" });
  const parts = sweep.varying.some((axis) => sweep.axes[axis].kind !== "image") || state.x >= 0 ? [layouts] : [];
  $("bar").replaceChildren(show, ...chips, ...parts, sizes);
  if (state.show !== "all" || state.only.size) {
    $("bar").append(button("Show everything", clearFilters, { class: "quiet" }));
  }
}

const ROLES = { x: "across", y: "down", group: "groups", stack: "in one place" };

function axisChip(axis, open) {
  const { name, values } = sweep.axes[axis];
  const kept = state.only.get(axis);
  const role = roleOf(axis);
  const place = state.x < 0 && role === "stack" ? "" : ` · ${ROLES[role]}`;
  const part = !kept ? "" : kept.size === 1 ? ` = ${wordOf(axis, [...kept][0])}` : ` ${kept.size} of ${values.length}`;
  const chip = h("details", { class: kept ? "axis kept" : "axis", "data-axis": axis, open },
    h("summary", {}, h("b", {}, spaced(shown(name))), part || place));
  chip.addEventListener("toggle", () => {
    if (!chip.open) return;
    for (const other of document.querySelectorAll("#bar details[open]")) if (other !== chip) other.open = false;
    if (!chip.querySelector(".menu")) chip.append(axisMenu(axis));
    keepInside(chip.querySelector(".menu"));
  });
  if (open) chip.append(axisMenu(axis));
  return chip;
}

/** A menu that would leave the window is moved back in. */
function keepInside(menu) {
  menu.style.left = "0";
  const over = menu.getBoundingClientRect().right - innerWidth + 8;
  if (over > 0) menu.style.left = `${-over}px`;
}

function axisMenu(axis) {
  const { values } = sweep.axes[axis];
  const group = `role-${axis}`;
  const roles = Object.entries(ROLES).map(([role, label]) => h("label", {}, h("input", {
    type: "radio", name: group, value: role, checked: roleOf(axis) === role, onchange: () => setRole(axis, role),
  }), label));
  const list = h("div", { class: "values" });
  const without = withoutValue(axis) ? [-1] : [];
  const fill = (text) => {
    const all = [...without, ...values.keys()];
    const wanted = text ? all.filter((index) => wordOf(axis, index).toLowerCase().includes(text.toLowerCase())) : all;
    list.replaceChildren(...wanted.slice(0, 200).map((index) => valueBox(axis, index)));
    if (wanted.length > 200) list.append(h("p", { class: "hint" }, `and ${number(wanted.length - 200)} more: type to find them`));
  };
  const search = values.length > 12 ? h("input", {
    type: "search", placeholder: "find", "aria-label": "Find a value", oninput: (event) => fill(event.target.value),
  }) : null;
  fill("");
  return h("div", { class: "menu" },
    h("fieldset", {}, h("legend", {}, "Place"), roles),
    h("fieldset", {}, h("legend", {}, "Values"), search,
      button("All", () => keepOnly(axis, null), { class: "quiet" }), list));
}

const withoutValue = (axis) => sweep.at[axis].includes(-1);

function valueBox(axis, index) {
  const kept = state.only.get(axis);
  const word = wordOf(axis, index);
  const box = h("input", { type: "checkbox", checked: !kept || kept.has(index), onchange: () => toggleValue(axis, index) });
  return h("div", { class: "value" }, h("label", { title: word }, box, labelled(axis, index) === word ? word : labelled(axis, index)),
    button("only", () => keepOnly(axis, index), { class: "quiet", "aria-label": `only ${word}` }));
}

/** The current cell: verdict, stars, note, and the way to the next one. */
function drawActions() {
  const [verdict, stars, note] = choiceOf(state.cell);
  const pressed = (on) => ({ "aria-pressed": String(on) });
  const star = (n) => button(n <= stars ? "★" : "☆", () => setStars(n === stars ? 0 : n), {
    class: "star", "aria-label": count(n, "star"), title: `${count(n, "star")} (${n})`, ...pressed(n === stars),
  });
  const words = captionOf(state.cell) || said(imageOf(state.cell).name);
  $("actions").replaceChildren(
    button("‹", () => step(-1), { class: "move", "aria-label": "Previous image" }),
    button(h("span", {}, h("i", { "aria-hidden": "true" }, "✓ "), "Pick"), () => decide(PICK), { class: "pick", title: "Pick (p)", ...pressed(verdict === PICK) }),
    button(h("span", {}, h("i", { "aria-hidden": "true" }, "✕ "), "Reject"), () => decide(REJECT), { class: "reject", title: "Reject (x)", ...pressed(verdict === REJECT) }),
    h("span", { class: "stars", role: "group", "aria-label": "Stars" }, [1, 2, 3, 4, 5].map(star)),
    button(note ? "✎ Note" : "Note", noteDialog, { class: note ? "has-note" : "", title: note || "Add a note (n)" }),
    h("span", { class: "words", title: words }, words),
    h("label", { class: "advance", title: "Caps Lock, or Shift with the key, does the same" }, h("input", {
      type: "checkbox", checked: settings.advance,
      onchange: (event) => {
        settings.advance = event.target.checked;
        storeSettings();
      },
    }), "go on by itself"),
    button("Details", toggleInfo, { class: "details", title: "Details (i)", ...pressed(settings.info) }),
    button("›", () => step(1), { class: "move", "aria-label": "Next image" }),
  );
}

function drawInfo() {
  const panel = $("info");
  document.body.classList.toggle("with-info", settings.info);
  if (!settings.info) {
    panel.replaceChildren();
    return;
  }
  const facts = cellFacts(state.cell).filter(([, fact]) => fact !== "" && fact !== null);
  const link = fullOf(state.cell);
  panel.replaceChildren(...[
    h("h2", {}, "Details"),
    h("dl", {}, facts.flatMap(([name, fact]) => [h("dt", {}, name), h("dd", {}, fact)])),
    link ? h("p", {}, h("a", { href: link, target: "_blank", rel: "noopener" }, "Open the full image")) : null,
    checkList(state.cell),
    noteOf(state.cell) ? h("blockquote", {}, shown(noteOf(state.cell))) : null,
  ].filter(Boolean));
}

const CHECK_WORDS = { fail: "failed", unsure: "unsure", error: "could not be checked" };

/** What checks say of a cell: those that it does not pass, in words. */
function checkList(cell) {
  const passed = sweep.passed[cell];
  const told = checksOf(cell);
  if (!passed && !told.length) return null;
  return h("section", { class: "checks" },
    h("h2", {}, "Checks"),
    told.length ? h("ul", {}, told.map(([name, verdict, severity, words]) => h("li", { class: verdict },
      h("b", {}, shown(name)), ` ${CHECK_WORDS[verdict]}${verdict === "fail" && severity !== "fail" ? ` (${severity})` : ""}: `, shown(words)))) : null,
    h("p", {}, `${number(passed)} passed`));
}

function cellFacts(cell) {
  const reason = reasonOf(cell);
  const size = sizeOf(cell);
  const run = sweep.head.runs[sweep.at[axisNamed("run")][cell]];
  const cost = costOf(cell);
  return [
    ["image", said(imageOf(cell).name)],
    ...sweep.axes.flatMap((axis, at) => axis.kind === "parameter" && sweep.at[at][cell] >= 0
      ? [[spaced(shown(axis.name)), said(valueOf(cell, at))]] : []),
    ["repeat", sweep.varying.some((axis) => sweep.axes[axis].kind === "repeat") ? number(repeatOf(cell) + 1) : ""],
    ["status", statusOf(cell)],
    ["reason", reason ? shown(reason.message) : ""],
    ["billed", reason && reason.billed ? reason.billed : ""],
    ["cost", cost === null ? "" : dollars(cost)],
    ["size", size ? `${number(size[0])} × ${number(size[1])} px` : ""],
    run.models ? ["model", shown(run.models[parametersOf(cell).backend] || "")]
      : ["backend", shown(run.backend === run.model ? run.backend : `${run.backend} ${run.model}`)],
    ["run", sweep.head.runs.length > 1 ? shown(run.label) : ""],
    ["job", jobOf(cell)],
  ];
}

/** The zoom, shown for a moment. */
let zoomTimer = 0;
function showZoom() {
  let badge = $("zoom");
  if (!badge) document.body.append((badge = h("div", { id: "zoom", "aria-hidden": "true" })));
  const scale = view.stage ? view.stage.scale() * lens.zoom : lens.zoom;
  badge.textContent = lens.zoom <= 1.001 ? "fit" : `${Math.round(scale * 100)} %`;
  badge.classList.add("on");
  clearTimeout(zoomTimer);
  zoomTimer = setTimeout(() => badge.classList.remove("on"), 900);
}

/** A dialog over everything; closed with Escape, its button, or a click beside it. */
function dialog(title, ...content) {
  const box = h("dialog", { "aria-label": title },
    h("div", { class: "dialog" },
      h("header", {}, h("h2", {}, title), button("Close", () => box.close(), { class: "quiet" })), ...content));
  box.addEventListener("close", () => {
    box.remove();
    focusView();
  });
  box.addEventListener("click", (event) => event.target === box && box.close());
  document.body.append(box);
  box.showModal();
  return box;
}

function noteDialog() {
  const cell = state.cell;
  const text = h("textarea", { rows: 4, maxlength: 2000, "aria-label": "Note" });
  text.value = noteOf(cell);
  const save = () => {
    choose([cell], { note: text.value.trim() });
    box.close();
    afterChoice(cell);
  };
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
  });
  const box = dialog("Note", h("p", { class: "hint" }, captionOf(cell) || said(imageOf(cell).name)), text,
    h("p", { class: "line" }, button("Keep", save, { class: "primary", title: "Ctrl+Enter" })));
  text.focus();
}

function saveDialog() {
  const found = tally();
  const recipe = sweep.head.file || "recipe.yaml";
  const price = sweep.head.price;
  const backend = price ? ` --backend ${price.backend}` : "";
  const command = `relightflow plan ${recipe} --picks picks.json${backend}`;
  const status = h("p", { role: "status", class: "hint" });
  const tell = (words) => (status.textContent = words);
  const load = h("input", {
    type: "file", accept: ".json,application/json", "aria-label": "Load a picks file",
    onchange: async (event) => tell(await loadFile(event.target.files[0])),
  });
  dialog("Save picks",
    h("p", {}, `${count(found.pick, "pick")}, ${number(found.reject)} rejected, ${number(found.left)} left.`,
      keep.works ? " This browser remembers them; a file can be committed and run." : " This browser does not keep them: save a file."),
    h("p", { class: "line" },
      button("Save picks.json", () => saveFile("picks.json", picksText(), "application/json", tell), { class: "primary" }),
      button("Save picks.csv", () => saveFile("picks.csv", picksTable(), "text/csv", tell)),
      button("Copy as text", () => copy(picksText(), tell))),
    status,
    h("h3", {}, "Buy exactly these"),
    h("p", {}, "This shows the price; ", h("code", {}, "run"), " in the place of ", h("code", {}, "plan"), " makes them."),
    h("p", { class: "line" }, h("code", { class: "command" }, command), button("Copy", () => copy(command, tell))),
    h("h3", {}, "Take picks from a file"), h("p", {}, load),
    h("p", { class: "line" }, button("Print the images shown", () => printShown(), {}),
      button("Copy a link to this view", () => copy(location.href.split("#")[0] + toHash(), tell)),
      button("Clear all picks…", () => clearPicks(tell), { class: "quiet" })));
}

function clearPicks(tell) {
  const cells = [...Array(sweep.loaded).keys()].filter((cell) => picks.held.has(identityOf(cell)));
  choose(cells, { verdict: 0, stars: 0, note: "" });
  afterChoice(state.cell);
  tell("Cleared; Undo brings them back.");
}

async function loadFile(file) {
  try {
    const { taken, strange } = takePicks(await file.text());
    afterChoice(state.cell);
    return `${count(taken, "pick")} taken${strange ? `; ${number(strange)} name nothing in this gallery` : ""}.`;
  } catch (error) {
    return `Not taken: ${error.message}`;
  }
}

async function copy(text, tell) {
  try {
    await navigator.clipboard.writeText(text);
    tell("Copied.");
  } catch {
    const area = h("textarea", { readonly: true, rows: 8, "aria-label": "Text to copy" });
    area.value = text;
    document.querySelector("dialog .dialog").append(area);
    area.select();
    tell("Press Ctrl+C to copy the text below.");
  }
}

/** With a picker where the browser has one, else as a download. */
async function saveFile(name, text, type, tell) {
  if (window.showSaveFilePicker) {
    try {
      const handle = await showSaveFilePicker({ suggestedName: name });
      const file = await handle.createWritable();
      await file.write(text);
      await file.close();
      picks.saved = true;
      tell(`Saved as ${handle.name}.`);
      return;
    } catch (error) {
      if (error.name === "AbortError") {
        tell("Not saved.");
        return;
      }
    }
  }
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  picks.saved = true;
  tell(`Saved as ${name} where your browser puts downloads.`);
}

const HELP = [
  ["Look", [
    ["g", "grid"], ["l, Enter", "loupe"], ["c", "compare: slider, side by side"], ["b", "blink"],
    ["d", "difference"], ["f", "flipbook: a slider for each axis"], ["s", "survey of the picks"], ["Esc", "back to the grid"],
  ]],
  ["Choose", [
    ["p", "pick"], ["x", "reject"], ["u", "undecided"], ["0 – 5", "stars"], ["n", "note"], ["z, Ctrl+Z", "undo"],
    ["Shift + key", "… and go on to the next image; Caps Lock: always"], ["Ctrl+S", "save picks"],
  ]],
  ["Move", [
    ["arrows", "to another image; Home, End and the Page keys too"], ["[  ]", "previous, next in a stack"],
    ["Space", "fit or full size; turns a blink"], ["+  −", "larger, smaller; zoom"], ["Shift + arrows", "pan"],
    ["m", "hold this image for a comparison"], ["o", "compare with the input image"], [",  .", "move the divider"],
    ["t", "table or plain sequence"], ["i", "details"],
  ]],
];

function helpDialog() {
  const check = (name, label) => h("label", {}, h("input", {
    type: "checkbox", checked: settings[name],
    onchange: (event) => {
      settings[name] = event.target.checked;
      storeSettings();
      drawActions();
    },
  }), label);
  const theme = h("select", {
    "aria-label": "Colours",
    onchange: (event) => {
      settings.theme = event.target.value;
      storeSettings();
      applyTheme();
    },
  }, [["", "as the system"], ["dark", "dark"], ["light", "light"]].map(([value, label]) => h("option", { value }, label)));
  theme.value = settings.theme;
  const refused = sweep.head.rejected;
  dialog("Keys and settings",
    h("div", { class: "keys" }, HELP.map(([title, keys]) => h("section", {}, h("h3", {}, title),
      h("dl", {}, keys.flatMap(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]))))),
    h("h3", {}, "Settings"),
    h("p", { class: "line" }, h("label", {}, "Colours ", theme), check("advance", "go on by itself after a pick or reject"),
      check("keys", "single keys do things")),
    refused.length ? h("section", {}, h("h3", {}, "Input images that could not be used"),
      h("ul", {}, refused.map(([name, why]) => h("li", {}, h("b", {}, shown(name)), ` ${shown(why)}`)))) : null,
    h("h3", {}, "What is shown"),
    h("ul", {}, sweep.head.runs.map((run) => h("li", {}, `${shown(run.label)}: recipe ${shown(run.recipe.name)} ${run.recipe.sha256.slice(0, 12)}, manifest ${run.manifest_sha256.slice(0, 12)}`))));
}

function applyTheme() {
  if (settings.theme) document.documentElement.dataset.theme = settings.theme;
  else delete document.documentElement.dataset.theme;
}
