/** Says what the server wants a guest to be told: by the server's own voice, or by the browser's. */

/** A browser's voice that never says that it has finished is taken to have, after this long. */
const PATIENCE_MS = 4_000;
const MS_PER_LETTER = 120;
/** Sound is scheduled this far ahead, so that pieces join without gaps. In seconds. */
const LEAD_S = 0.06;

/**
 * Handlers: `said(id)` at the end of each text, also if there is no voice for it, which leaves the text on the
 * screen; `interrupted(id, ms)` if it was broken off after so long.
 */
export class Mouth {
  #handlers;
  #say = null;
  #began = 0;
  #context = null;
  #playing = new Set();
  #until = 0;
  #timer = 0;

  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** Makes ready to sound. Browsers want this at a press. */
  open() {
    this.#context ??= new AudioContext();
    void this.#context.resume();
  }

  /** Takes `voice:say`; what was being said gives way. */
  say(data) {
    this.stop();
    this.#say = data;
    this.#began = performance.now();
    this.#until = 0;
    if (!data.audio) this.#byBrowser(data);
  }

  /** Takes `voice:speech`: a piece of the sound of a text. */
  piece({ say_id, sequence, audio, sample_rate, is_last }) {
    if (this.#say?.say_id !== say_id) return;
    if (sequence === 1 && audio === "") {
      this.#byBrowser(this.#say);
      return;
    }
    const source = this.#schedule(decoded(audio), sample_rate);
    if (is_last) {
      source.onended = () => {
        this.#playing.delete(source);
        this.#over(say_id);
      };
    }
  }

  /** Falls silent. */
  stop() {
    const say = this.#say;
    this.#say = null;
    clearTimeout(this.#timer);
    for (const source of this.#playing) {
      source.onended = null;
      source.stop();
    }
    this.#playing.clear();
    globalThis.speechSynthesis?.cancel();
    if (say !== null) {
      this.#handlers.interrupted(say.say_id, Math.round(performance.now() - this.#began));
    }
  }

  #schedule(samples, rate) {
    const context = this.#context;
    const buffer = context.createBuffer(1, Math.max(1, samples.length), rate);
    buffer.copyToChannel(samples, 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    source.onended = () => this.#playing.delete(source);
    const start = Math.max(this.#until, context.currentTime + LEAD_S);
    source.start(start);
    this.#until = start + buffer.duration;
    this.#playing.add(source);
    return source;
  }

  #byBrowser({ say_id, text, language }) {
    const voice = voiceFor(language);
    if (voice === null) {
      this.#over(say_id);
      return;
    }
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.lang = language;
    utterance.voice = voice;
    utterance.onend = utterance.onerror = () => this.#over(say_id);
    this.#timer = setTimeout(() => this.#over(say_id), PATIENCE_MS + MS_PER_LETTER * text.length);
    speechSynthesis.speak(utterance);
  }

  #over(id) {
    if (this.#say?.say_id !== id) return;
    clearTimeout(this.#timer);
    this.#say = null;
    this.#handlers.said(id);
  }
}

/** A voice of the browser for a language, or null. One that works without a network is better. */
export function voiceFor(tag) {
  const code = tag.split("-")[0].toLowerCase();
  const fitting = (globalThis.speechSynthesis?.getVoices() ?? []).filter(
    (voice) => voice.lang.split(/[-_]/)[0].toLowerCase() === code,
  );
  return fitting.find((voice) => voice.localService) ?? fitting[0] ?? null;
}

function decoded(audio) {
  const bytes = Uint8Array.from(atob(audio), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const samples = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < samples.length; i += 1) samples[i] = view.getInt16(2 * i, true) / 32_768;
  return samples;
}
