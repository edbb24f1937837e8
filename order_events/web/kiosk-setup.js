/** The kiosk's side for staff: signing in, the checks before guests come, and the gesture that leads there. */

import { $, setText, words } from "./dom.js";
import { Checks } from "./kiosk-checks.js";
import { setupView } from "./kiosk-views.js";
import { render } from "./lit-html.js";
import { People } from "./people.js";
import { keepScreen, keepToken, mayStart, pairedScreen } from "./session.js";
import { fillTexts, speak, texts } from "./texts.js";

const LANE = "voice-ordering.lane";
const LANGUAGE = "voice-ordering.language";
/** How long staff hold the button for the setup, in ms. A guest who taps it does nothing. */
const HOLD_MS = 2_000;

/** The tag of the language that this kiosk begins with. */
export function configuredTag() {
  return localStorage.getItem(LANGUAGE) || "en-US";
}

/** Where the kiosk stands, or undefined. */
export function lane() {
  return localStorage.getItem(LANE) || pairedScreen()?.lane;
}

/** What the kiosk calls itself. */
export function laneTitle() {
  const at = lane();
  return at ? words(at) : texts.kiosk.here;
}

/** Shows one of the page's parts, and none of the others. */
export function showOnly(id) {
  for (const part of ["signin", "setup", "kiosk", "trouble"]) $(part).hidden = part !== id;
}

export class Setup {
  #handlers;
  #checks = new Checks(() => this.#draw());
  #people;
  #holding = 0;

  /** Handlers: `left()` ends whatever a guest does; `ready()` opens the kiosk for guests; `problem(text)`. */
  constructor(fragment, handlers) {
    this.#handlers = handlers;
    this.#people = new People($("staff"), () => {
      // The PIN only opens the setup: the kiosk goes on as itself.
      keepToken(null);
      $("staff").close();
      void this.open();
    });
    for (const [name, key] of [["lane", LANE], ["language", LANGUAGE]]) {
      if (fragment.get(name)) localStorage.setItem(key, fragment.get(name));
      $(name).value = localStorage.getItem(key) ?? "";
    }
    $("signin-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#signIn();
    });
    for (const start of ["pointerdown", "keydown"]) {
      $("signout").addEventListener(start, (event) => this.#hold(event));
    }
    for (const end of ["pointerup", "pointerleave", "keyup", "blur"]) {
      $("signout").addEventListener(end, () => clearTimeout(this.#holding));
    }
  }

  /** Shows what this kiosk needs, and what of it is there. */
  async open() {
    this.#handlers.left();
    speak(configuredTag());
    fillTexts(document);
    showOnly("setup");
    await this.#checks.look(configuredTag());
    const refused = this.#checks.all.find(({ name, state }) => name === "connection" && state === "bad");
    if (refused && !mayStart()) this.signOut(refused.text);
  }

  /** Forgets who is signed in, and asks anew; `why` is shown, null for nothing. */
  signOut(why) {
    this.#handlers.left();
    keepToken(null);
    showOnly("signin");
    $("signin-problem").hidden = why === null;
    setText($("signin-problem"), why ?? "");
    $("token").focus();
  }

  #signIn() {
    keepToken($("token").value.trim());
    localStorage.setItem(LANE, $("lane").value.trim());
    localStorage.setItem(LANGUAGE, $("language").value.trim());
    $("token").value = "";
    void this.open();
  }

  #draw() {
    if ($("setup").hidden) return;
    const actions = {
      test: () => this.#checks.listen(),
      start: () => this.#checks.stop().then(() => this.#handlers.ready()),
      signOut: () => {
        keepScreen(null);
        this.signOut(null);
      },
    };
    render(setupView(this.#checks.all, actions), $("setup-card"));
    $("setup-card").querySelector(".meter").style.setProperty("--level", this.#checks.level.toFixed(3));
  }

  #hold(event) {
    if (event.repeat) return;
    clearTimeout(this.#holding);
    this.#holding = setTimeout(() => void this.#ask(), HOLD_MS);
  }

  /** Opens the setup for staff who know their PIN; where nobody has one, for whoever held the button. */
  async #ask() {
    if (pairedScreen() === null) {
      await this.open();
      return;
    }
    try {
      if (await this.#people.show()) $("staff").showModal();
      else await this.open();
    } catch {
      // Without the server nobody can prove to be staff; a screen that was removed is signed out.
      if (mayStart()) this.#handlers.problem(texts.unreachable);
      else this.signOut(texts.people.unpaired);
    }
  }
}
