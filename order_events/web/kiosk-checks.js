/** What a kiosk needs before it may meet guests, looked at one by one. */

import { openMicrophone } from "./capture.js";
import { codeOf } from "./kiosk-languages.js";
import { Refusal, ask, token } from "./session.js";
import { LANGUAGES, texts } from "./texts.js";

/** Nothing that can be heard: a microphone that is muted, or is not one. */
const SILENCE = 0.12;
const LISTEN_MS = 4_000;

/** What the server offers guests, `{model, languages, spoken}`. Throws as `ask` does. */
export function voiceOffer() {
  return ask("v1/voice");
}

/** Which kind of trouble an error of the server is: a key of `texts.kiosk.trouble`. */
export function troubleOf(error) {
  const refused = error instanceof Refusal && [401, 403].includes(error.status);
  return refused ? "credential" : "server";
}

/** Which kind of trouble an error of the microphone is. */
export function microphoneTrouble(error) {
  if (!globalThis.isSecureContext) return "insecure";
  return { NotAllowedError: "denied", NotFoundError: "missing" }[error?.name] ?? "broken";
}

export class Checks {
  #found = new Map();
  #changed;
  #microphone = null;
  level = 0;

  /** `changed()` is called when anything has been found. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** `[{name, state, text}]`, in the order in which they matter. */
  get all() {
    return [...this.#found.values()];
  }

  /** Looks at everything but the microphone, which needs a press. `tag` is the configured language. */
  async look(tag) {
    for (const name of ["connection", "languages", "menu"]) this.#note(name, "waiting", "");
    this.#note("microphone", "waiting", texts.kiosk.setup.press);
    try {
      if ((await token()) === null) throw new Refusal(401, "UNAUTHORIZED", texts.people.unpaired);
      const offer = await voiceOffer();
      this.#note("connection", "good", texts.kiosk.setup.connected(offer.model));
      this.#noteLanguages(offer.languages, tag);
    } catch (error) {
      const text = error instanceof Refusal ? `${error.message}.` : texts.unreachable;
      this.#note("connection", "bad", text);
    }
    try {
      const { menu } = await ask("v1/menu");
      this.#note("menu", "good", texts.kiosk.setup.dishes(menu.items.length));
    } catch (error) {
      this.#note("menu", "bad", error instanceof Refusal ? `${error.message}.` : texts.unreachable);
    }
  }

  /** Listens for a few seconds; whoever sets the kiosk up says something. */
  async listen() {
    await this.stop();
    let loudest = 0;
    this.#note("microphone", "waiting", texts.kiosk.setup.speak);
    try {
      this.#microphone = await openMicrophone({
        chunk: () => undefined,
        level: (level) => {
          this.level = level;
          loudest = Math.max(loudest, level);
          this.#changed();
        },
        lost: () => this.#note("microphone", "bad", texts.kiosk.trouble.missing.staff),
      });
      await new Promise((resolve) => setTimeout(resolve, LISTEN_MS));
      if (loudest < SILENCE) this.#note("microphone", "bad", texts.kiosk.setup.silent);
      else this.#note("microphone", "good", texts.kiosk.setup.heard);
    } catch (error) {
      this.#note("microphone", "bad", texts.kiosk.trouble[microphoneTrouble(error)].staff);
    }
    await this.stop();
  }

  /** Lets go of the microphone. */
  async stop() {
    const opened = this.#microphone;
    this.#microphone = null;
    this.level = 0;
    await opened?.stop();
  }

  #noteLanguages(codes, tag) {
    const names = codes.filter((code) => code in LANGUAGES).map((code) => LANGUAGES[code]);
    const missing = !codes.includes(codeOf(tag));
    const text = missing ? texts.kiosk.setup.lacks(tag, names.join(", ")) : names.join(", ");
    this.#note("languages", missing ? "bad" : "good", text);
  }

  #note(name, state, text) {
    this.#found.set(name, { name, state, text });
    this.#changed();
  }
}
