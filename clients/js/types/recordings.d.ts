import type { AudioFormat, VoiceHandlers, VoiceOptions, VoiceStream } from "./voice.js";

/** Returns what to declare in `voice:start`, and which bytes to send; throws TypeError. */
export function describeRecording(bytes: Uint8Array): { audio: AudioFormat; start: number; end: number };

/** Streams a recording as one session; throws TypeError or RangeError for what cannot be streamed. */
export function streamRecording(
  file: Blob,
  options: Omit<VoiceOptions, "audio">,
  handlers: VoiceHandlers,
): Promise<VoiceStream>;
