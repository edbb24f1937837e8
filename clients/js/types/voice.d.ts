import type { LinkState, TokenSource } from "./events.js";

/** How the audio of a session is encoded; by default 16-bit PCM, 16 kHz, mono. */
export interface AudioFormat {
  encoding?: "pcm_s16le" | "pcm_f32le" | "mulaw" | "alaw" | "webm_opus" | "ogg_opus" | (string & {});
  sample_rate?: number;
  channels?: number;
}

export interface VoiceOptions {
  /** The server's address. */
  url: string | URL;
  token: TokenSource;
  silence?: number;
  session_id?: string;
  /** A BCP 47 tag; by default en-US. */
  language?: string;
  audio?: AudioFormat;
  lane?: string;
  table_id?: string;
  order?: "auto" | "off";
  /** How the guest is told things (`voice:say`); by default text. */
  speak?: "text" | "audio" | "off";
  /** Continue `session_id`, which another page has begun a moment ago. */
  resume?: boolean;
  /** Further fields of `voice:start`. */
  [field: string]: unknown;
}

/** The answer to `voice:end`; `order_id` is null if nothing was ordered. */
export interface VoiceEnd {
  session_id: string;
  duration: number;
  audio_ms: number;
  utterances: number;
  order_id: string | null;
}

export interface VoiceHandlers {
  /** What the server sends; each final once. */
  event(type: string, data: Record<string, unknown>): void;
  /** The server has lost the session and gets it again from the start: discard its results. */
  again?(): void;
  /** The session that was to be continued has ended. */
  gone?(): void;
  ended?(answer: VoiceEnd): void;
  /** The session cannot go on. `refused`: the token is not accepted. */
  failed?(message: string, refused: boolean): void;
  state?(state: LinkState): void;
  expiring?(time: number): void;
}

/** Most bytes of audio that are kept to be sent again. */
export const MOST_BYTES: number;

/** One guest's session on `/voice-stream`, over as many connections as needed. */
export class VoiceStream {
  constructor(options: VoiceOptions, handlers: VoiceHandlers);
  readonly sessionId: string;
  /** Seconds of audio not sent to the server yet; NaN for a container. */
  readonly behind: number;
  open(): void;
  /** Takes audio in the session's encoding, best 60 to 200 ms at a time. */
  push(audio: ArrayBuffer | ArrayBufferView): void;
  /** Answers a question by one of its `choices`, or by other words. False without a connection. */
  answer(text: string): boolean;
  /** Sets how many there are of a line of the order; 0 takes it out. False without a connection. */
  changeQuantity(itemId: string, quantity: number): boolean;
  /** Calls a person to the guest. False without a connection. */
  callStaff(): boolean;
  /** Tells that a `voice:say` has been said. */
  said(sayId: string): void;
  /** Tells that a `voice:say` was broken off, so many ms after its beginning. */
  interrupted(sayId: string, atMs: number): void;
  /** The guest has finished: sends the rest, then waits for the answer. */
  finish(): void;
  /** Disconnects at once. The server waits for a while, then ends the session itself. */
  close(): void;
}
