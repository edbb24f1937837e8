/** The settings of this screen: its language, and what it sounds like. */

import { html, nothing, render } from "./lit-html.js";
import { address } from "./session.js";
import { SOUNDS } from "./sounds.js";
import { kitchenView } from "./kitchen-settings-view.js";
import { LANGUAGES, chooseLanguage, language, texts } from "./texts.js";

export class ScreenSettings {
  #dialog;
  #sounds;
  #kitchen;
  #categories = [];
  /** Whether the user may manage screens and staff. */
  manages = false;

  constructor(dialog, sounds, kitchen) {
    this.#dialog = dialog;
    this.#sounds = sounds;
    this.#kitchen = kitchen;
  }

  /** Takes the categories of the menu, which stations are made of. */
  take(categories) {
    this.#categories = categories;
  }

  open() {
    this.#draw();
    this.#dialog.showModal();
  }

  #draw() {
    const sounds = this.#sounds;
    const tongue = (event) => {
      chooseLanguage(event.target.value);
      location.reload();
    };
    const loud = (event) => sounds.setVolume(Number(event.target.value));
    render(
      html`
        <h2>${texts.settings.title}</h2>
        ${isSecureContext ? nothing : html`<p class="problem">${texts.settings.insecure}</p>`}
        <label>
          <span>${texts.settings.language}</span>
          <select @change=${tongue}>
            ${Object.entries(LANGUAGES).map(
              ([tag, name]) => html`<option value=${tag} lang=${tag} ?selected=${tag === language}>${name}</option>`,
            )}
          </select>
        </label>
        ${kitchenView(this.#kitchen, this.#categories, () => this.#draw())}
        <h3>${texts.settings.sounds}</h3>
        <label>
          <span>${texts.settings.volume}</span>
          <input type="range" min="0.1" max="1" step="0.1" .value=${String(sounds.volume)} @change=${loud}>
        </label>
        <ul>
          ${SOUNDS.map((name) => this.#soundView(name))}
        </ul>
        <div class="places">
          <a class="button" href=${address("web/board.html").href}>${texts.board.title}</a>
          ${this.manages
            ? html`
                <a class="button" href=${address("web/owner.html").href}>${texts.owner.title}</a>
                <a class="button" href=${address("web/manage.html").href}>${texts.manage.title}</a>
              `
            : nothing}
        </div>
        <button type="button" class="button primary" @click=${() => this.#dialog.close()}>
          ${texts.settings.close}
        </button>
      `,
      this.#dialog,
    );
  }

  #soundView(name) {
    const sounds = this.#sounds;
    const label = `${texts.settings.test}: ${texts.settings.sound[name]}`;
    return html`<li>
      <label>
        <input
          type="checkbox"
          .checked=${sounds.on(name)}
          @change=${(event) => sounds.switch(name, event.target.checked)}
        >
        ${texts.settings.sound[name]}
      </label>
      <button type="button" class="button small" aria-label=${label} @click=${() => sounds.test(name)}>
        ${texts.settings.test}
      </button>
    </li>`;
  }
}
