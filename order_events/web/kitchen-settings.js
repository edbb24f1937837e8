/** How the kitchen's board of this screen is set up; kept in the browser. */

import { LIMITS } from "./tickets.js";

const KEY = "voice-ordering.kitchen";
/** Sizes of text on the board, from a small tablet to what can be read from two metres. */
export const SIZES = ["small", "normal", "large", "larger", "far"];
const DEFAULTS = { size: "normal", stations: [], limits: LIMITS, keys: true, allDay: false };

export class KitchenSettings {
  #values;
  #changed;

  /** Calls `changed()` whenever something is set. */
  constructor(changed) {
    this.#changed = changed;
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    this.#values = { ...DEFAULTS, ...kept, limits: { ...LIMITS, ...kept.limits } };
  }

  /** One of SIZES. */
  get size() {
    return this.#values.size;
  }

  /** The categories that are made here; none: everything, as whoever hands the orders out sees it. */
  get stations() {
    return this.#values.stations;
  }

  /** See `LIMITS` in `tickets.js`. */
  get limits() {
    return this.#values.limits;
  }

  /** Whether number keys and a bump bar press buttons. */
  get keys() {
    return this.#values.keys;
  }

  /** Whether the board shows how many of each thing are to be made. */
  get allDay() {
    return this.#values.allDay;
  }

  /** Sets some of them. */
  set(values) {
    this.#values = { ...this.#values, ...values };
    localStorage.setItem(KEY, JSON.stringify(this.#values));
    this.#changed();
  }

  /** Sets when tickets of a stage are due (0) or late (1), in minutes; null: by the menu's times. */
  limit(stage, which, minutes) {
    const limit = [...this.limits[stage]];
    limit[which] = minutes;
    this.set({ limits: { ...this.limits, [stage]: limit } });
  }
}
