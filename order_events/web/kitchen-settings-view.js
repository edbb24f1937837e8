/** Draws how the kitchen's board of this screen is set up. */

import { SIZES } from "./kitchen-settings.js";
import { html } from "./lit-html.js";
import { texts } from "./texts.js";

/** `settings` are KitchenSettings, `categories` those of the menu; `changed()` draws again. */
export function kitchenView(settings, categories, changed) {
  const set = (values) => {
    settings.set(values);
    changed();
  };
  return html`
    <h3>${texts.kitchen.title}</h3>
    <label>
      <span>${texts.kitchen.size}</span>
      <select @change=${(event) => set({ size: event.target.value })}>
        ${SIZES.map((size) => html`<option value=${size} ?selected=${size === settings.size}>${texts.kitchen.sizes[size]}</option>`)}
      </select>
    </label>
    <fieldset>
      <legend>${texts.kitchen.stations}</legend>
      <p class="muted">${texts.kitchen.stationsMore}</p>
      <div class="station-choices">${categories.map((category) => stationView(settings, category, set))}</div>
    </fieldset>
    <fieldset>
      <legend>${texts.kitchen.limits}</legend>
      <p class="muted">${texts.kitchen.limitsMore}</p>
      <div class="limits">${Object.keys(settings.limits).map((stage) => limitView(settings, stage, changed))}</div>
    </fieldset>
    <label class="check">
      <input type="checkbox" .checked=${settings.keys} @change=${(event) => set({ keys: event.target.checked })}>
      <span>${texts.kitchen.keys}</span>
    </label>
  `;
}

function stationView({ stations }, { id, name }, set) {
  const choose = (event) =>
    set({ stations: event.target.checked ? [...stations, id] : stations.filter((one) => one !== id) });
  return html`<label class="check">
    <input type="checkbox" .checked=${stations.includes(id)} @change=${choose}>
    <span>${name}</span>
  </label>`;
}

function limitView(settings, stage, changed) {
  const field = (which, kind) => {
    const change = (event) => {
      settings.limit(stage, which, event.target.value === "" ? null : Number(event.target.value));
      changed();
    };
    return html`<input
      type="number"
      min="1"
      max="999"
      data-kind=${kind}
      aria-label="${texts.status[stage]}, ${texts.kitchen[kind]}"
      placeholder=${texts.kitchen.byMenu}
      .value=${settings.limits[stage][which] === null ? "" : String(settings.limits[stage][which])}
      @change=${change}
    >`;
  };
  return html`<span>${texts.status[stage]}</span>${field(0, "due")}${field(1, "late")}`;
}
