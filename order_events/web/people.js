/** Signing in at a paired screen: the name first, then the PIN. */

import { html, nothing, render } from "./lit-html.js";
import { Refusal, ask, keepToken, pairedScreen, tokenOfScreen } from "./session.js";
import { texts } from "./texts.js";

const LONGEST_PIN = 8;
const SHORTEST_PIN = 4;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "⌫", "0", "✓"];

export class People {
  #root;
  #signedIn;
  #staff = [];
  #chosen = null;
  #pin = "";
  #problem = null;
  #busy = false;

  /** Calls `signedIn()` when somebody's PIN was right, or a manager's screen is used as such. */
  constructor(root, signedIn) {
    this.#root = root;
    this.#signedIn = signedIn;
    root.addEventListener("keydown", (event) => this.#typed(event));
  }

  /** Shows who can sign in; resolves to whether anybody can. Throws as `ask` does. */
  async show(problem = null) {
    this.#chosen = null;
    this.#problem = problem;
    this.#staff = (await ask("v1/staff", { as: await tokenOfScreen() })).staff;
    this.#draw();
    return this.#staff.length > 0;
  }

  #draw() {
    render(this.#chosen === null ? this.#namesView() : this.#pinView(), this.#root);
  }

  #namesView() {
    const screen = pairedScreen();
    return html`
      <h1>${texts.people.who}</h1>
      ${this.#problem ? html`<p class="problem" role="alert">${this.#problem}</p>` : nothing}
      <div class="names">
        ${this.#staff.map(
          (person) => html`<button type="button" class="button" @click=${() => this.#choose(person)}>
            ${person.name}
          </button>`,
        )}
      </div>
      ${screen.role === "manager"
        ? html`<button type="button" class="button quiet" @click=${() => this.#signedIn()}>
            ${texts.people.asScreen(screen.name)}
          </button>`
        : nothing}
    `;
  }

  #pinView() {
    return html`
      <h1 tabindex="-1">${texts.people.pinOf(this.#chosen.name)}</h1>
      ${this.#problem ? html`<p class="problem" role="alert">${this.#problem}</p>` : nothing}
      <p class="pin" role="status" aria-label=${texts.people.digits(this.#pin.length)}>
        ${[...this.#pin].map(() => html`<i></i>`)}
      </p>
      <div class="keys">
        ${KEYS.map(
          (key) => html`<button
            type="button"
            class="button ${key === "✓" ? "primary" : ""}"
            aria-label=${texts.people.keys[key] ?? key}
            ?disabled=${key === "✓" && (this.#busy || this.#pin.length < SHORTEST_PIN)}
            @click=${() => this.#press(key)}
          >${key}</button>`,
        )}
      </div>
      <button type="button" class="button quiet" @click=${() => this.#choose(null)}>${texts.people.other}</button>
    `;
  }

  #choose(person) {
    this.#chosen = person;
    this.#pin = "";
    this.#problem = null;
    this.#draw();
    this.#root.querySelector("h1[tabindex]")?.focus();
  }

  #typed(event) {
    if (this.#chosen === null) return;
    if (/^[0-9]$/.test(event.key)) this.#press(event.key);
    else if (event.key === "Backspace") this.#press("⌫");
    else if (event.key === "Enter" && event.target.closest("button") === null) this.#press("✓");
  }

  #press(key) {
    if (key === "✓") {
      void this.#signIn();
      return;
    }
    this.#problem = null;
    if (key === "⌫") this.#pin = this.#pin.slice(0, -1);
    else if (this.#pin.length < LONGEST_PIN) this.#pin += key;
    this.#draw();
  }

  async #signIn() {
    if (this.#busy || this.#pin.length < SHORTEST_PIN) return;
    this.#busy = true;
    this.#draw();
    try {
      const body = { staff_id: this.#chosen.id, pin: this.#pin };
      const answer = await ask("v1/staff/sign-in", { method: "POST", body, as: await tokenOfScreen() });
      keepToken(answer.token);
      this.#chosen = null;
      this.#signedIn();
    } catch (error) {
      this.#problem = problemText(error);
    }
    this.#busy = false;
    this.#pin = "";
    this.#draw();
  }
}

function problemText(error) {
  if (!(error instanceof Refusal)) return texts.unreachable;
  if (error.code === "RATE_LIMITED") return texts.people.locked;
  return error.code === "FORBIDDEN" ? texts.people.wrong : `${error.message}.`;
}
