/** Runs on the audio thread: turns the microphone into 16-bit PCM chunks of 100 ms and measures its level. */

const CHUNKS_PER_SECOND = 10;
const LEVELS_PER_SECOND = 20;

class PcmCapture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.chunk = new Int16Array(Math.round(sampleRate / CHUNKS_PER_SECOND));
    this.filled = 0;
    this.energy = 0;
    this.heard = 0;
    this.stopped = false;
    this.port.onmessage = () => this.stop();
  }

  process([channels]) {
    if (this.stopped) return false;
    const length = channels[0]?.length ?? 0;
    for (let i = 0; i < length; i += 1) {
      let sample = 0;
      for (const channel of channels) sample += channel[i];
      this.take(sample / channels.length);
    }
    return true;
  }

  take(sample) {
    const clipped = Math.max(-1, Math.min(1, sample));
    this.chunk[this.filled] = Math.round(clipped * 32767);
    this.filled += 1;
    this.energy += clipped * clipped;
    this.heard += 1;
    if (this.heard >= sampleRate / LEVELS_PER_SECOND) {
      this.port.postMessage({ level: Math.sqrt(this.energy / this.heard) });
      this.energy = 0;
      this.heard = 0;
    }
    if (this.filled === this.chunk.length) this.send();
  }

  send() {
    const samples = this.chunk.slice(0, this.filled);
    this.filled = 0;
    if (samples.length > 0) this.port.postMessage({ samples }, [samples.buffer]);
  }

  /** Sends the rest of the last chunk, then stops. */
  stop() {
    this.stopped = true;
    this.send();
    this.port.postMessage({ done: true });
  }
}

registerProcessor("pcm-capture", PcmCapture);
