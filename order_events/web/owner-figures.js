/** Figures: how many orders there were, how many went well, and how long they took. */

import { barsView } from "./charts.js";
import { words } from "./dom.js";
import { html, nothing } from "./lit-html.js";
import { ask } from "./session.js";
import { texts } from "./texts.js";

const RANGES = [7, 28, 92];
const CHARTS = [
  { name: "ordered", of: ({ ordered }) => ordered, as: (n) => String(n) },
  { name: "completed", of: ({ completion_rate }) => completion_rate, as: percent },
  { name: "handed_over", of: ({ hand_over_rate }) => hand_over_rate, as: percent },
  { name: "edited", of: ({ edit_rate }) => edit_rate, as: percent },
  { name: "seconds", of: ({ seconds_per_order }) => seconds_per_order, as: (n) => `${Math.round(n)} s` },
];

export class FiguresPage {
  #host;
  #days = RANGES[0];
  #figures = null;

  constructor(host) {
    this.#host = host;
  }

  async load() {
    // The server knows which day it is in the restaurant; without days it answers the last seven.
    const last = this.#figures?.to_day;
    const days = last && this.#days !== RANGES[0] ? `&from_day=${before(last, this.#days - 1)}` : "";
    this.#figures = await ask(`v1/analytics?by=lane${days}`);
  }

  view() {
    const figures = this.#figures;
    if (figures === null) return nothing;
    const text = texts.owner.figures;
    return html`
      <div class="ranges" role="group" aria-label=${text.range}>
        ${RANGES.map(
          (days) => html`<button type="button" class="button small" aria-pressed=${String(days === this.#days)} @click=${() => this.#choose(days)}>
            ${text.days(days)}
          </button>`,
        )}
      </div>
      <div class="charts">
        ${CHARTS.map(({ name, of, as }) =>
          barsView({
            title: text[name],
            total: shown(of(figures.total), as),
            whole: as === percent ? 1 : null,
            bars: figures.days.map((one) => ({ label: shortDay(one.day), value: of(one), text: shown(of(one), as) })),
          }),
        )}
      </div>
      ${this.#lanesView(figures.lanes ?? [])} ${figures.trial ? trialView(figures.trial) : nothing}
    `;
  }

  #choose(days) {
    this.#days = days;
    return this.#host.attempt(() => this.load());
  }

  #lanesView(lanes) {
    const text = texts.owner.figures;
    if (lanes.length === 0) return nothing;
    return html`<section aria-labelledby="lanes-title">
      <h2 id="lanes-title">${text.lanes}</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr><th scope="col">${text.lane}</th>${CHARTS.map(({ name }) => html`<th scope="col">${text[name]}</th>`)}</tr>
          </thead>
          <tbody>
            ${lanes.map(
              (one) => html`<tr>
                <th scope="row">${one.lane === null ? text.noLane : words(one.lane)}</th>
                ${CHARTS.map(({ of, as }) => html`<td>${shown(of(one), as)}</td>`)}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>`;
  }
}

function trialView({ orders, accepted, accepted_changed, accepted_cancelled, changes }) {
  const text = texts.owner.figures;
  return html`<section aria-labelledby="trial-title">
    <h2 id="trial-title">${text.trial}</h2>
    <p>${text.trialText(orders, accepted, accepted_changed, accepted_cancelled)}</p>
    <ul>${changes.map(({ name, change, count }) => html`<li>${text.change[change](name)} <span class="muted">${count}×</span></li>`)}</ul>
  </section>`;
}

function before(day, days) {
  return new Date(Date.parse(`${day}T12:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
}

function percent(rate) {
  return `${Math.round(rate * 100)} %`;
}

function shown(value, as) {
  return value === null ? "–" : as(value);
}

function shortDay(day) {
  return new Date(`${day}T12:00:00`).toLocaleDateString(undefined, { day: "numeric", month: "short" });
}
