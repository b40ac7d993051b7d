// What everything else stands on: making elements (text only, never HTML), and a few words.

const $ = (id) => document.getElementById(id);

/** An element. Children are nodes or text; text from outside can never become markup. */
function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const number = (value) => value.toLocaleString("en-US");
const count = (value, one) => `${number(value)} ${value === 1 ? one : one + "s"}`;
const spaced = (name) => name.replace(/_/g, " ");
const narrow = () => innerWidth < 760;
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Text from outside for one line: control and direction marks are shown, not obeyed. */
function shown(text) {
  return String(text).replace(
    /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (mark) => "\\u" + mark.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** A value of an axis, for people. */
function said(value) {
  if (value === null || value === undefined) return "default";
  return shown(value);
}

/** Dollars from micro-dollars: at least two decimals, as many as are needed. */
function dollars(micros) {
  const text = (micros / 1e6).toFixed(6).replace(/0{1,4}$/, "");
  const [whole, rest] = text.split(".");
  return `${Number(whole).toLocaleString("en-US")}.${rest} USD`;
}

/** A short hash of a text, 53 bits in base 36 (cyrb53 by bryc, public domain). */
function digest(text) {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}

/** Tell a person who does not see the page what has happened. */
function announce(text) {
  $("live").textContent = text;
}

/** localStorage, which a browser may refuse. */
const keep = {
  works: true,
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      this.works = false;
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
      return true;
    } catch {
      this.works = false;
      return false;
    }
  },
};
