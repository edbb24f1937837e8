/** The microphone's side of `/voice-stream`: one session, over as many connections as needed. */

import { Link, socketUrl } from "./socket.js";

const START = "start";
const BARRIER = "sent";
/** Audio kept so that it can be sent again: four minutes at 48 kHz. The oldest is dropped first. */
export const MOST_BYTES = 24_000_000;
/** As base64, a chunk must fit into a message of 64 KB. */
const CHUNK_BYTES = 32_000;
const SEND_AHEAD_BYTES = 256_000;
const SEND_AGAIN_MS = 50;
/** Errors of `voice:start` after which trying again is pointless. */
const HOPELESS = ["UNSUPPORTED_LANGUAGE", "INVALID_MESSAGE", "UNKNOWN_TYPE"];

/** Bytes of a sample; those of a container are not known. */
const SAMPLE_BYTES = { pcm_s16le: 2, pcm_f32le: 4, mulaw: 1, alaw: 1 };

function bytesOf(audio) {
  if (audio instanceof ArrayBuffer) return new Uint8Array(audio);
  return new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength);
}

function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8_192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  }
  return btoa(text);
}

/**
 * `options`: `url` (the server's address), `token` (see `Link`), `silence` (see `Link`), and the fields
 * of `voice:start`, all optional: `session_id`, `language`, `audio`, `lane`, …. With `resume: true`, the
 * session `session_id` of an earlier page is continued. Handlers, all but the first optional:
 * - `event(type, data)`: what the server sends; each final once
 * - `gone()`: the session that was to be continued (`resume: true`) has ended
 * - `again()`: the server has lost the session and gets it again from the start: discard its results
 * - `ended(answer)`: the answer to `voice:end`, also if the server ended the session itself
 * - `failed(message, refused)`: the session cannot go on. `refused`: the token is not accepted
 * - `state(state)`, `expiring(time)`: see `Link`
 */
export class VoiceStream {
  #link;
  #handlers;
  #start;
  #bytesPerSecond;
  /** Chunks by sequence, from `#first` on; `#cursor` is the next one to send. */
  #kept = new Map();
  #keptBytes = 0;
  #first = 1;
  #last = 0;
  #cursor = 1;
  #bytes = 0;
  #asked = false;
  /** Whether the session is another page's, whose sequences are not known yet. */
  #joining = false;
  #streaming = false;
  #finishing = false;
  #asking = false;
  #pausedUntil = 0;
  #timer = 0;
  #lastFinal = 0;

  /** @param {{url: any, token: any, silence?: number, resume?: boolean, [field: string]: any}} options */
  constructor({ url, token, silence, resume = false, ...start }, handlers) {
    this.#asked = this.#joining = resume;
    const audio = { encoding: "pcm_s16le", sample_rate: 16_000, channels: 1, ...start.audio };
    this.#start = { session_id: crypto.randomUUID(), language: "en-US", ...start, audio };
    this.#bytesPerSecond = audio.sample_rate * audio.channels * (SAMPLE_BYTES[audio.encoding] ?? NaN);
    this.#handlers = handlers;
    this.#link = new Link(
      socketUrl(url, "voice-stream"),
      token,
      {
        connected: () => this.#begin(this.#asked),
        message: (message) => this.#receive(message),
        state: (state) => {
          if (state.name !== "online") this.#streaming = false;
          handlers.state?.(state);
        },
        refused: (error) => handlers.failed?.(error.message, true),
        expiring: handlers.expiring,
      },
      silence,
    );
  }

  get sessionId() {
    return this.#start.session_id;
  }

  /** Seconds of audio not sent to the server yet; NaN for a container. */
  get behind() {
    let bytes = 0;
    for (let i = this.#cursor; i <= this.#last; i += 1) bytes += this.#kept.get(i)?.byteLength ?? 0;
    return bytes / this.#bytesPerSecond;
  }

  open() {
    this.#link.open();
  }

  /** Takes audio in the session's encoding: an ArrayBuffer or a view of one, best 60 to 200 ms. */
  push(audio) {
    if (this.#finishing) return;
    const bytes = bytesOf(audio);
    for (let i = 0; i < bytes.length; i += CHUNK_BYTES) this.#keep(bytes.subarray(i, i + CHUNK_BYTES));
    this.#pump();
  }

  #keep(chunk) {
    this.#last += 1;
    this.#bytes += chunk.byteLength;
    this.#kept.set(this.#last, chunk);
    this.#keptBytes += chunk.byteLength;
    while (this.#keptBytes > MOST_BYTES) {
      this.#keptBytes -= this.#kept.get(this.#first).byteLength;
      this.#kept.delete(this.#first);
      this.#first += 1;
    }
  }

  /** The guest has finished: sends the rest, then waits for the answer. */
  finish() {
    this.#finishing = true;
    this.#pump();
  }

  /** Disconnects at once. The server waits for a while, then ends the session itself. */
  close() {
    clearTimeout(this.#timer);
    this.#link.close();
  }

  /** Answers a question by one of its `choices`, or by any other words. */
  answer(text) {
    return this.#tell("voice:answer", { text });
  }

  /** Sets how many there are of a line of the order; 0 takes it out. */
  changeQuantity(itemId, quantity) {
    return this.#tell("voice:quantity", { item_id: itemId, quantity });
  }

  /** Calls a person to the guest. */
  callStaff() {
    return this.#tell("voice:call_staff", {});
  }

  /** Tells that a `voice:say` has been said. */
  said(sayId) {
    this.#link.send({ type: "voice:said", data: { say_id: sayId } });
  }

  /** Tells that a `voice:say` was broken off, `atMs` after its beginning. */
  interrupted(sayId, atMs) {
    this.#link.send({ type: "voice:interrupted", data: { say_id: sayId, at_ms: atMs } });
  }

  /** Sends a tap; false, and nothing is sent, while there is no connection. */
  #tell(type, data) {
    return this.#streaming && this.#link.send({ type, data: { session_id: this.sessionId, ...data } });
  }

  #begin(resume) {
    // From now on the session may exist, even if the answer gets lost.
    this.#asked = true;
    this.#link.send({
      type: "voice:start",
      id: START,
      data: {
        ...this.#start,
        ...(resume ? { resume: true, after_utterance: this.#lastFinal } : {}),
      },
    });
  }

  #receive(message) {
    const { type, data } = message;
    switch (type) {
      case "voice:started":
        if (this.#joining) this.#join(data.next_sequence - 1);
        this.#cursor = data.next_sequence;
        this.#streaming = true;
        this.#asking = false;
        this.#pausedUntil = 0;
        this.#handlers.event(type, data);
        this.#pump();
        return;
      case "voice:transcript":
        if (data.is_final) {
          if (data.utterance <= this.#lastFinal) return;
          this.#lastFinal = data.utterance;
        }
        this.#handlers.event(type, data);
        return;
      case "voice:end":
        this.close();
        this.#handlers.ended?.(data);
        return;
      case "pong":
        if (message.id === BARRIER) this.#passed();
        return;
      case "error":
        this.#complaint(message);
        return;
      default:
        this.#handlers.event(type, data);
    }
  }

  /** Counts what was recorded meanwhile after the `before` chunks of the earlier page. */
  #join(before) {
    this.#joining = false;
    this.#kept = new Map([...this.#kept].map(([sequence, chunk]) => [sequence + before, chunk]));
    this.#first += before;
    this.#last += before;
  }

  #complaint({ id, data }) {
    if (data.code === "RATE_LIMITED" && data.sequence !== undefined) {
      // Later chunks may be refused as well, so go back. The server drops duplicates.
      this.#cursor = Math.min(this.#cursor, data.sequence);
      this.#asking = false;
      this.#pause(data.retry_after_ms ?? 500);
    } else if (id !== START) {
      this.#handlers.event("error", data);
    } else if (data.code === "SESSION_NOT_FOUND" && this.#joining) {
      this.close();
      this.#handlers.gone?.();
    } else if (data.code === "SESSION_NOT_FOUND" && this.#first === 1) {
      // The server was restarted. Sent again from its first chunk, the session leads to the same order.
      this.#lastFinal = 0;
      this.#handlers.again?.();
      this.#begin(false);
    } else if (data.code === "SESSION_NOT_FOUND" || HOPELESS.includes(data.code)) {
      this.close();
      this.#handlers.failed?.(data.message, false);
    } else {
      this.#handlers.event("error", data);
    }
  }

  #pump() {
    if (!this.#streaming || Date.now() < this.#pausedUntil) return;
    this.#cursor = Math.max(this.#cursor, this.#first);
    while (this.#cursor <= this.#last) {
      if (this.#link.buffered > SEND_AHEAD_BYTES) return this.#pause(SEND_AGAIN_MS);
      const data = { audio: base64(this.#kept.get(this.#cursor)), sequence: this.#cursor };
      if (!this.#link.send({ type: "voice:audio", data })) return;
      this.#cursor += 1;
    }
    if (this.#finishing && !this.#asking) {
      // The answer to this ping comes after every error about the audio sent before it.
      this.#asking = this.#link.send({ type: "ping", id: BARRIER });
    }
  }

  #pause(ms) {
    this.#pausedUntil = Date.now() + ms;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#pausedUntil = 0;
      this.#pump();
    }, ms);
  }

  /** Everything sent has been accepted. */
  #passed() {
    if (!this.#asking || this.#cursor <= this.#last) return;
    const duration = this.#bytes / this.#bytesPerSecond;
    // NaN becomes null: the server counts by itself.
    this.#link.send({ type: "voice:end", data: { session_id: this.sessionId, duration } });
  }
}
