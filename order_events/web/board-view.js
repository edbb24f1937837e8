/** Draws what is around the tickets of the kitchen's board: tabs, tools, and what is to be made. */

import { words } from "./dom.js";
import { html, nothing } from "./lit-html.js";
import { texts } from "./texts.js";
import { TABS } from "./tickets.js";

/**
 * `state`: the chosen `tab`, `counts` per tab, `empty`, names of the `stations`, `allDay` (or null),
 * the view of `finished` orders; and what the buttons do: `choose(tab)`, `page(by)`,
 * `toggleAllDay()`, `soldOut()`, `setUp()`.
 */
export function boardView(state) {
  const { tab, empty, finished } = state;
  const seeking = tab === "finished";
  return html`
    <div class="kitchen-bar">
      <div class="steps" role="group" aria-label=${texts.kitchen.tabs}>
        ${TABS.map((name) => tabView(state, name, state.counts[name]))}
        ${tabView(state, "finished", finished.count, "finished-count")}
      </div>
      <div class="tools">
        <button type="button" class="button small" @click=${state.setUp} title=${texts.kitchen.stations}>
          ${state.stations.length > 0 ? state.stations.join(", ") : texts.kitchen.expo}
        </button>
        <button type="button" class="button small" aria-pressed=${String(state.allDay !== null)} @click=${state.toggleAllDay}>
          ${texts.kitchen.allDay}
        </button>
        <button type="button" class="button small" @click=${state.soldOut}>${texts.soldOut.title}</button>
        <span class="pages" hidden>
          <button type="button" class="button small" aria-label=${texts.kitchen.pageBack} @click=${() => state.page(-1)}>
            ‹ <span class="before-count"></span>
          </button>
          <button type="button" class="button small" aria-label=${texts.kitchen.pageOn} @click=${() => state.page(1)}>
            <span class="after-count"></span> ›
          </button>
        </span>
      </div>
    </div>
    <div class="kitchen-body">
      <div class="board" ?hidden=${seeking || empty} tabindex="-1"></div>
      <p class="empty" ?hidden=${seeking || !empty}>${texts.empty[tab]}</p>
      <div class="finished-pane" ?hidden=${!seeking}>${seeking ? finished.view() : nothing}</div>
      ${state.allDay !== null && !seeking ? allDayView(state.allDay) : nothing}
    </div>
  `;
}

function tabView({ tab, choose }, name, count, id = "") {
  return html`<button
    type="button"
    class="step"
    data-tab=${name}
    aria-pressed=${String(name === tab)}
    @click=${() => choose(name)}
  >
    ${texts.tab[name]}<span class="count" id=${id || nothing} ?data-none=${count === 0}>${count}</span>
  </button>`;
}

function allDayView(counts) {
  return html`<aside class="all-day" aria-label=${texts.kitchen.allDay}>
    <h3>${texts.kitchen.allDay}</h3>
    ${counts.length === 0 ? html`<p>${texts.kitchen.nothing}</p>` : nothing}
    <ul>
      ${counts.map(
        ({ name, size, count }) => html`<li>
          <strong>${count}</strong>
          <span>${name}${size ? html` <span class="size">${words(size)}</span>` : nothing}</span>
        </li>`,
      )}
    </ul>
  </aside>`;
}
