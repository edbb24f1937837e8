/** Bars over days, as a picture and, for whoever cannot see it, as a table. */

import { html, svg } from "./lit-html.js";

const WIDTH = 320;
const HEIGHT = 110;
/** Labels below the bars; more would overlap. */
const LABELS = 4;

/** `bars` are `{label, value, text}`; a value of null is left out. `total` is of all of them, `whole`
 *  the value of a bar of full height; absent: the highest. */
export function barsView({ title, total, bars, whole = null }) {
  const most = whole ?? (Math.max(...bars.map(({ value }) => value ?? 0)) || 1);
  const step = WIDTH / bars.length;
  const every = Math.ceil(bars.length / LABELS);
  return html`<figure class="chart">
    <figcaption><span>${title}</span><strong>${total}</strong></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT + 18}" role="img" aria-label="${title}: ${total}">
      <line x1="0" x2=${WIDTH} y1=${HEIGHT} y2=${HEIGHT} class="axis"></line>
      ${bars.map(({ label, value, text }, i) => {
        const height = ((value ?? 0) / most) * (HEIGHT - 6);
        return svg`<g>
          <title>${label}: ${text}</title>
          <rect x=${i * step + step * 0.15} y=${HEIGHT - height} width=${step * 0.7} height=${height} rx=${Math.min(4, step * 0.2)}></rect>
          ${i % every === 0 ? svg`<text x=${i * step + step * 0.15} y=${HEIGHT + 14}>${label}</text>` : ""}
        </g>`;
      })}
    </svg>
    <table class="visually-hidden">
      <caption>${title}</caption>
      <tbody>${bars.map(({ label, text }) => html`<tr><th scope="row">${label}</th><td>${text}</td></tr>`)}</tbody>
    </table>
  </figure>`;
}
