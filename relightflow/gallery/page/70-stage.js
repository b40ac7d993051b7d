// One place for a large image, with zoom and pan that are the same in all of them.

/** Zoom (1 fits) and the point in the middle, in parts of the image. Locked: all stages share it. */
const lens = { zoom: 1, x: 0.5, y: 0.5 };
/** cell or "input-N" → its own shift, made with Shift held. */
const shifts = new Map();
const stages = new Set();
const MOST_ZOOM = 32;

function resetLens() {
  Object.assign(lens, { zoom: 1, x: 0.5, y: 0.5 });
  shifts.clear();
  for (const stage of stages) stage.arrange();
}

class Stage {
  /** `label` names the stage for a screen reader; `onTap` is told a tap that was no drag. */
  constructor(label, onTap) {
    this.layers = [];
    this.pointers = new Map();
    this.onTap = onTap;
    this.root = h("div", { class: "stage", role: "group", "aria-label": label });
    this.root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.root.addEventListener("pointerdown", (event) => this.down(event));
    this.root.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.root.addEventListener(end, (event) => this.up(event, end));
    }
    this.root.addEventListener("dblclick", (event) => this.toggleZoom(event));
    stages.add(this);
  }

  close() {
    stages.delete(this);
  }

  /** Show these things one over the other: {key, thumb, full, alt, width, height, word}. */
  show(things) {
    const old = new Map(this.layers.map((layer) => [layer.key, layer]));
    this.layers = things.map((thing) => old.get(thing.key) || makeLayer(thing, () => this.arrange()));
    const elements = this.layers.map((layer) => layer.element);
    const kept = [...this.root.querySelectorAll(":scope > .layer")];
    if (kept.length !== elements.length || kept.some((one, at) => one !== elements[at])) {
      for (const one of kept) if (!elements.includes(one)) one.remove();
      elements.forEach((one, at) => {
        if (this.root.children[at] !== one) this.root.insertBefore(one, this.root.children[at] || null);
      });
    }
    this.arrange();
  }

  /** Put every layer where the lens looks. */
  arrange() {
    const width = this.root.clientWidth;
    const height = this.root.clientHeight;
    if (!width || !height) return;
    for (const layer of this.layers) {
      const fit = fitted(layer, width, height);
      const own = shifts.get(layer.key) || { x: 0, y: 0 };
      const w = fit.width * lens.zoom;
      const hgt = fit.height * lens.zoom;
      const left = w <= width ? (width - w) / 2 : clamp(width / 2 - lens.x * w, width - w, 0);
      const top = hgt <= height ? (height - hgt) / 2 : clamp(height / 2 - lens.y * hgt, height - hgt, 0);
      const box = layer.element.style;
      box.width = `${w}px`;
      box.height = `${hgt}px`;
      box.transform = `translate(${left + own.x * w}px, ${top + own.y * hgt}px)`;
      layer.left = left + own.x * w;
      layer.wide = w;
      layer.element.classList.toggle("pixels", w > 2.5 * (layer.natural || Infinity));
    }
    this.onArrange?.();
  }

  /** How many screen pixels an image pixel has at zoom 1. */
  scale() {
    const layer = this.layers[this.layers.length - 1];
    if (!layer || !layer.natural) return 1;
    return fitted(layer, this.root.clientWidth, this.root.clientHeight).width / layer.natural;
  }

  zoomTo(zoom, clientX, clientY) {
    const layer = this.layers[this.layers.length - 1];
    if (!layer) return;
    const box = this.root.getBoundingClientRect();
    const fit = fitted(layer, box.width, box.height);
    const dx = (clientX ?? box.left + box.width / 2) - box.left - box.width / 2;
    const dy = (clientY ?? box.top + box.height / 2) - box.top - box.height / 2;
    const next = clamp(zoom, 1, MOST_ZOOM);
    // the point under the pointer stays under it
    lens.x += dx / (fit.width * lens.zoom) - dx / (fit.width * next);
    lens.y += dy / (fit.height * lens.zoom) - dy / (fit.height * next);
    lens.zoom = next;
    this.settle(fit, box);
  }

  settle(fit, box) {
    const half = (part, whole) => Math.min(0.5, whole / (2 * part * lens.zoom));
    const [hx, hy] = [half(fit.width, box.width), half(fit.height, box.height)];
    lens.x = clamp(lens.x, hx, 1 - hx);
    lens.y = clamp(lens.y, hy, 1 - hy);
    for (const stage of stages) stage.arrange();
    showZoom();
  }

  toggleZoom(event) {
    if (event && event.target.closest("button, input, .divider")) return;
    if (lens.zoom > 1.001) resetLens();
    else this.zoomTo(Math.max(1 / this.scale(), 2), event && event.clientX, event && event.clientY);
    showZoom();
  }

  wheel(event) {
    event.preventDefault();
    this.zoomTo(lens.zoom * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), event.clientX, event.clientY);
  }

  down(event) {
    if (event.target.closest("button, input, .divider") || event.button > 0) return;
    this.root.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.start = { x: event.clientX, y: event.clientY, time: event.timeStamp, moved: false };
  }

  move(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const dx = event.clientX - last.x;
    const dy = event.clientY - last.y;
    if (Math.hypot(event.clientX - this.start.x, event.clientY - this.start.y) > 6) this.start.moved = true;
    if (this.pointers.size === 2) this.pinch(event, last);
    else if (lens.zoom > 1) this.pan(dx, dy, event.shiftKey);
    last.x = event.clientX;
    last.y = event.clientY;
  }

  pinch(event) {
    const [a, b] = [...this.pointers.entries()].map(([id, p]) =>
      id === event.pointerId ? { ...p, nx: event.clientX, ny: event.clientY } : { ...p, nx: p.x, ny: p.y });
    const before = Math.hypot(a.x - b.x, a.y - b.y);
    const after = Math.hypot(a.nx - b.nx, a.ny - b.ny);
    if (before > 0) this.zoomTo((lens.zoom * after) / before, (a.nx + b.nx) / 2, (a.ny + b.ny) / 2);
  }

  /** Move what is seen; with `alone`, only this stage's own images. */
  pan(dx, dy, alone) {
    const layer = this.layers[this.layers.length - 1];
    if (!layer) return;
    const box = this.root.getBoundingClientRect();
    const fit = fitted(layer, box.width, box.height);
    const [x, y] = [dx / (fit.width * lens.zoom), dy / (fit.height * lens.zoom)];
    if (alone) {
      const own = shifts.get(layer.key) || { x: 0, y: 0 };
      shifts.set(layer.key, { x: own.x + x, y: own.y + y });
      this.arrange();
      return;
    }
    lens.x -= x;
    lens.y -= y;
    this.settle(fit, box);
  }

  up(event, end) {
    if (!this.pointers.delete(event.pointerId) || end === "pointercancel" || this.pointers.size) return;
    const dx = event.clientX - this.start.x;
    if (!this.start.moved) this.onTap?.(event);
    else if (lens.zoom <= 1 && Math.abs(dx) > 50 && event.pointerType !== "mouse") this.onSwipe?.(dx > 0 ? -1 : 1);
  }
}

function fitted(layer, width, height) {
  const ratio = layer.ratio || 1;
  const wide = Math.min(width, height / ratio);
  return { width: wide, height: wide * ratio };
}

/** A thumbnail at once, and the full image over it when it has come. */
function makeLayer(thing, onSize) {
  const element = h("div", { class: "layer" });
  const layer = { key: thing.key, element, natural: thing.width || 0, ratio: thing.width ? thing.height / thing.width : sweep.ratio };
  const sized = (event) => {
    const image = event.target;
    if (!thing.width || image.classList.contains("full")) {
      layer.natural = Math.max(layer.natural, image.naturalWidth);
      layer.ratio = image.naturalHeight / image.naturalWidth;
    }
    onSize();
  };
  if (thing.thumb) {
    element.append(h("img", { src: thing.thumb, alt: thing.full ? "" : thing.alt, draggable: "false", onload: sized }));
  }
  if (thing.full) {
    const full = h("img", { class: "full", src: thing.full, alt: thing.alt, draggable: "false", decoding: "async" });
    full.addEventListener("load", (event) => {
      full.classList.add("here");
      sized(event);
    });
    full.addEventListener("error", () => full.remove()); // the thumbnail stays
    element.append(full);
  }
  if (!thing.thumb && !thing.full) element.append(h("span", { class: "hatched" }, h("b", {}, thing.word || "no image"), thing.reason ? h("small", {}, thing.reason) : null));
  return layer;
}

/** A cell as a thing to show. */
function thingOf(cell) {
  const size = sizeOf(cell);
  const reason = reasonOf(cell);
  return {
    key: cell,
    thumb: thumbOf(cell),
    full: fullOf(cell),
    alt: spoken(cell),
    width: size && size[0],
    height: size && size[1],
    word: statusOf(cell) === "done" ? "image not here" : statusOf(cell),
    reason: reason && shown(reason.message),
  };
}

/** The input image of a cell, as a thing to show; null where the page does not have it. */
function inputOf(cell) {
  const image = imageOf(cell);
  if (!image.thumb && !image.full) return null;
  return {
    key: `input-${image.sha256}`,
    thumb: thumbAt(image.thumb),
    full: image.full,
    alt: `input image ${said(image.name)}`,
    width: image.width,
    height: image.height,
  };
}

/** Ask for images that are likely to be looked at next. */
const ahead = new Map();
function preload(cells) {
  for (const cell of cells) {
    const address = fullOf(cell) || thumbOf(cell);
    if (!address || ahead.has(address)) continue;
    const image = new Image();
    image.src = address;
    ahead.set(address, image);
  }
  while (ahead.size > 24) ahead.delete(ahead.keys().next().value);
}
