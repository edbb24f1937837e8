/** What a screen sounds like. The tones are made here, so that no file has to be loaded. */

const SETTINGS = "voice-ordering.sounds";
export const SOUNDS = ["new", "changed", "cancelled", "ready", "call"];
/** Each sound is notes of [frequency in Hz, start in s, length in s]. They differ in melody and in
 *  rhythm, so that a cook tells them apart without looking. */
const NOTES = {
  new: [[660, 0, 0.16], [880, 0.18, 0.3]],
  changed: [[740, 0, 0.1], [740, 0.16, 0.1], [740, 0.32, 0.1]],
  cancelled: [[520, 0, 0.25], [330, 0.28, 0.5]],
  ready: [[880, 0, 0.12], [1109, 0.14, 0.12], [1319, 0.28, 0.3]],
  call: [[988, 0, 0.14], [784, 0.16, 0.14], [988, 0.32, 0.14], [784, 0.48, 0.3]],
};

/** The sounds of this screen: its volume from 0 to 1, and which are switched off. */
export class Sounds {
  #context = null;
  #settings;

  constructor() {
    this.#settings = { volume: 0.6, off: [], ...JSON.parse(localStorage.getItem(SETTINGS) ?? "{}") };
  }

  get volume() {
    return this.#settings.volume;
  }

  /** Whether a sound is on. */
  on(name) {
    return !this.#settings.off.includes(name);
  }

  /** Whether the browser waits for a touch before it lets the page be heard. */
  get muted() {
    return SOUNDS.some((name) => this.on(name)) && this.#audio().state === "suspended";
  }

  /** Makes use of a touch: browsers let no page be heard before one. */
  wake() {
    if (this.#audio().state === "suspended") this.#audio().resume();
  }

  setVolume(volume) {
    this.#keep({ volume });
  }

  switch(name, on) {
    const off = this.#settings.off.filter((other) => other !== name);
    this.#keep({ off: on ? off : [...off, name] });
  }

  /** Plays a sound if it is on. */
  play(name) {
    if (this.on(name)) this.test(name);
  }

  /** Plays a sound, whether it is on or not. */
  test(name) {
    const audio = this.#audio();
    for (const [frequency, start, length] of NOTES[name]) {
      const tone = new OscillatorNode(audio, { type: "triangle", frequency });
      const gain = new GainNode(audio, { gain: 0 });
      const from = audio.currentTime + start;
      // Ramps instead of steps: a step would click.
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(this.volume, from + 0.015);
      gain.gain.linearRampToValueAtTime(0, from + length);
      tone.connect(gain).connect(audio.destination);
      tone.start(from);
      tone.stop(from + length);
    }
  }

  #audio() {
    this.#context ??= new AudioContext();
    return this.#context;
  }

  #keep(changed) {
    this.#settings = { ...this.#settings, ...changed };
    localStorage.setItem(SETTINGS, JSON.stringify(this.#settings));
  }
}
