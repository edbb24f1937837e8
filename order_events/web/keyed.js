/** Elements that are kept per key, so that each stays the same wherever it moves. */

import { render } from "./lit-html.js";

/** A press on something that moved less than this many ms ago was meant for something else. */
const STILL_MS = 500;
/** A row that moved by less than this is still under the finger. In CSS pixels. */
const MOVED_PX = 12;

/** Draws one element per key and puts them in order. `tag` and `class` are those of each element. */
export class Keyed {
  #make;
  #rows = new Map();
  #seen = new Set();

  constructor(tag, className) {
    this.#make = () => {
      const node = document.createElement(tag);
      node.className = className;
      return node;
    };
  }

  /** Begins a drawing; every element that is not placed before `end` is removed. */
  begin() {
    this.#seen.clear();
  }

  /**
   * Puts the rows into `parent`, in this order. Each is `{key, mark, draw, touch}`; `draw(node)`
   * returns the template of its content and is called if `mark` differs from the last time.
   * `touch(node)`, if there is one, is called each time, for what changes all the time.
   */
  place(parent, rows) {
    rows.forEach((row, i) => {
      this.#seen.add(row.key);
      const kept = this.#rows.get(row.key) ?? { node: this.#make(), mark: undefined };
      this.#rows.set(row.key, kept);
      if (kept.mark !== row.mark) {
        kept.mark = row.mark;
        render(row.draw(kept.node), kept.node);
      }
      row.touch?.(kept.node);
      const there = parent.children[i] ?? null;
      if (there !== kept.node) parent.insertBefore(kept.node, there);
    });
  }

  /** Ends a drawing. */
  end() {
    for (const [key, { node }] of this.#rows) {
      if (this.#seen.has(key)) continue;
      node.remove();
      this.#rows.delete(key);
    }
  }

  /** Calls `visit(key, node)` for every element. */
  each(visit) {
    for (const [key, { node }] of this.#rows) visit(key, node);
  }
}

/**
 * Ignores presses on rows that have just moved under the finger; they have `data-moving` until they
 * may be pressed again. Call `watch` after each drawing. Scrolling does not count as moving.
 */
export class Steady {
  #root;
  #rows;
  #places = new WeakMap();
  #timers = new WeakMap();

  constructor(root, selector) {
    this.#root = root;
    this.#rows = selector;
    root.addEventListener("click", (event) => this.#check(event), { capture: true });
  }

  watch() {
    const places = [...this.#root.querySelectorAll(this.#rows)].map((row) => [row, this.#placeOf(row)]);
    // Read first, then written: reading after each change would compute the layout again and again.
    for (const [row, place] of places) {
      const known = this.#places.get(row);
      if (known !== undefined && !near(known, place)) this.#hold(row);
      this.#places.set(row, place);
    }
  }

  #placeOf(row) {
    const { left, top } = row.getBoundingClientRect();
    const pane = row.closest(".pane");
    const board = row.closest(".board");
    const down = scrollY + (pane?.scrollTop ?? 0) + (board?.scrollTop ?? 0);
    return { left: left + (board?.scrollLeft ?? 0), top: top + down };
  }

  #hold(row) {
    row.dataset.moving = "";
    clearTimeout(this.#timers.get(row));
    this.#timers.set(row, setTimeout(() => delete row.dataset.moving, STILL_MS));
  }

  #check(event) {
    // A keyboard press has no position on the screen: it acts on what has the focus.
    if (event.detail === 0 || !event.target.closest(this.#rows)?.hasAttribute("data-moving")) return;
    event.stopPropagation();
    event.preventDefault();
  }
}

function near(one, other) {
  return Math.abs(one.left - other.left) < MOVED_PX && Math.abs(one.top - other.top) < MOVED_PX;
}
