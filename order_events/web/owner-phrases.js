/** What guests said that was not understood. Each becomes another name of something with one press. */

import { html, nothing } from "./lit-html.js";
import { nameable, withAlias } from "./menu-draft.js";
import { currentMenu } from "./owner-menu.js";
import { ask } from "./session.js";
import { texts } from "./texts.js";

const DAYS = 28;

export class PhrasesPage {
  #host;
  #phrases = [];
  #things = [];
  #chosen = new Map();

  constructor(host) {
    this.#host = host;
  }

  async load() {
    const from = new Date(Date.now() - (DAYS - 1) * 86_400_000).toISOString().slice(0, 10);
    const [figures, now] = await Promise.all([ask(`v1/analytics?from_day=${from}`), currentMenu()]);
    this.#things = now === null ? [] : nameable(now.menu);
    this.#phrases = figures.total.not_understood.filter(({ text }) => !isNamed(now?.menu, text));
  }

  view() {
    const words = texts.owner.phrases;
    return html`<section aria-labelledby="phrases-title">
      <h2 id="phrases-title">${words.title}</h2>
      <p class="muted">${words.more(DAYS)}</p>
      ${this.#phrases.length === 0 ? html`<p class="blank">${words.none}</p>` : nothing}
      <ul class="phrases">${this.#phrases.map((phrase) => this.#phraseView(phrase))}</ul>
    </section>`;
  }

  #phraseView({ text, count, nearest }) {
    const words = texts.owner.phrases;
    const near = this.#things.findIndex(({ name }) => name === nearest);
    const chosen = this.#chosen.get(text) ?? near;
    const choose = (event) => {
      this.#chosen.set(text, Number(event.target.value));
      this.#host.changed();
    };
    return html`<li>
      <strong class="said">“${text}”</strong>
      <span class="muted">${words.times(count)}</span>
      <label>
        <span class="visually-hidden">${words.means(text)}</span>
        <select @change=${choose}>
          <option value="-1" ?selected=${chosen < 0}>${words.choose}</option>
          ${this.#things.map(({ name }, i) => html`<option value=${i} ?selected=${i === chosen}>${name}</option>`)}
        </select>
      </label>
      <button type="button" class="button small primary" ?disabled=${chosen < 0} @click=${() => this.#name(text, this.#things[chosen])}>
        ${words.add}
      </button>
    </li>`;
  }

  /** Publishes the menu in use with the phrase as a name; a trial goes on. */
  #name(text, thing) {
    return this.#host.attempt(async () => {
      const { menu, trial } = await ask("v1/menu");
      const query = trial && trial.left > 0 ? `?trial_orders=${trial.left}` : "";
      await ask(`v1/menu${query}`, { method: "PUT", body: withAlias(menu, thing, text) });
      this.#phrases = this.#phrases.filter((phrase) => phrase.text !== text);
      this.#host.say(texts.owner.phrases.added(text, thing.name));
    });
  }
}

/** Whether something on the menu is called so meanwhile. */
function isNamed(menu, text) {
  if (!menu) return false;
  const groups = menu.modifier_groups.flatMap(({ modifiers }) => modifiers);
  const things = [...menu.items, ...menu.sizes, ...menu.categories, ...groups];
  return things.some(({ name, aliases }) => [name, ...aliases].some((one) => one.toLowerCase() === text));
}
