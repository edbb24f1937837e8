/** What a guest says: finals in a log, and the growing partial below it. */

import { el, setText } from "./dom.js";
import { texts } from "./texts.js";

const LINES_KEPT = 80;
/** Words below this confidence are marked: they are more likely wrong than right. */
const DOUBTFUL = 0.5;

function grade(confidence) {
  if (confidence >= 0.85) return "sure";
  return confidence >= 0.6 ? "fair" : "doubtful";
}

function textView({ text, words = [] }) {
  const said = words.map((word) => word.text).join(" ");
  if (said !== text) return [text];
  return words.flatMap((word, i) => [
    i > 0 ? " " : "",
    word.confidence < DOUBTFUL
      ? el("span", { class: "doubtful-word", title: texts.transcript.doubtful }, word.text)
      : word.text,
  ]);
}

function lineView(said) {
  const percent = Math.round(said.confidence * 100);
  return el(
    "li",
    { class: "line", "data-utterance": said.utterance },
    el("p", { class: "said" }, textView(said)),
    said.overheard
      ? el("span", { class: "overheard", title: texts.transcript.overheardMore }, texts.transcript.overheard)
      : null,
    el(
      "span",
      { class: "confidence", "data-grade": grade(said.confidence), title: texts.transcript.confidence },
      el("span", { class: "visually-hidden" }, `${texts.transcript.confidence} `),
      `${percent}%`,
    ),
  );
}

/** One session's transcript. `node` is its element. */
export class Transcript {
  #log;
  #partial = el("p", { class: "partial", "aria-live": "off", hidden: true });
  #stable = el("span", { class: "stable" });
  #open = el("span", { class: "open" });
  #utterances = new Set();
  #latest = { utterance: 0, revision: 0 };

  constructor(label) {
    this.#log = el("ol", { class: "lines" });
    const log = el("div", { role: "log", "aria-live": "polite", "aria-label": label }, this.#log);
    this.#partial.append(this.#stable, this.#open);
    this.node = el("div", { class: "transcript" }, log, this.#partial);
  }

  /** Whether somebody is speaking right now. */
  get speaking() {
    return !this.#partial.hidden;
  }

  /** Whether anything has been said. */
  get any() {
    return this.speaking || this.#utterances.size > 0;
  }

  /** Takes the data of a `voice:transcript`. Returns false if nothing is new. */
  take(said) {
    if (this.#utterances.has(said.utterance)) return false;
    return said.is_final ? this.#final(said) : this.#grow(said);
  }

  /** Hides the partial: nobody is speaking any more, or there were no words. */
  hush() {
    this.#partial.hidden = true;
  }

  /** Shows that somebody has started to speak, before there are words. */
  listen() {
    setText(this.#stable, "");
    setText(this.#open, "…");
    this.#partial.hidden = false;
  }

  clear() {
    this.#utterances.clear();
    this.#latest = { utterance: 0, revision: 0 };
    this.#log.replaceChildren();
    this.hush();
  }

  #final(said) {
    this.#utterances.add(said.utterance);
    if (said.utterance >= this.#latest.utterance) this.hush();
    if (said.text === "") return true;
    const later = [...this.#log.children].find(
      (line) => Number(line.dataset.utterance) > said.utterance,
    );
    this.#log.insertBefore(lineView(said), later ?? null);
    if (this.#log.childElementCount > LINES_KEPT) this.#log.firstElementChild.remove();
    this.#log.scrollTop = this.#log.scrollHeight;
    return true;
  }

  #grow(said) {
    const { utterance, revision } = this.#latest;
    const older =
      said.utterance < utterance || (said.utterance === utterance && said.revision <= revision);
    if (older) return false;
    this.#latest = { utterance: said.utterance, revision: said.revision };
    const settled = said.stable_text ?? "";
    setText(this.#stable, settled);
    setText(this.#open, said.text.slice(settled.length));
    this.#partial.hidden = false;
    return true;
  }
}
