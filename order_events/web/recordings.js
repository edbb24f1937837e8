/** Recordings as sessions: what a file contains, told by its first bytes, and streamed at once. */

import { MOST_BYTES, VoiceStream } from "./voice.js";

/** Encodings by the format tag of a WAV file, with the bits of a sample. */
const WAV_FORMATS = { 1: ["pcm_s16le", 16], 3: ["pcm_f32le", 32], 6: ["alaw", 8], 7: ["mulaw", 8] };
const EXTENSIBLE = 0xfffe;
const UNKNOWN = "this is no recording we can stream: use WAV (16-bit or float PCM, A-law, µ-law), WebM or Ogg with Opus";

function text(bytes, start, length) {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}

/** Returns `{audio, start, end}`: what to declare in `voice:start`, and which bytes to send.
 *  Throws TypeError for what the server does not take. */
export function describeRecording(bytes) {
  const head = text(bytes, 0, 4);
  if (head === "OggS") return { audio: { encoding: "ogg_opus" }, start: 0, end: bytes.length };
  if (head === "\x1aE\xdf\xa3") return { audio: { encoding: "webm_opus" }, start: 0, end: bytes.length };
  if (head === "RIFF" && text(bytes, 8, 4) === "WAVE") return describeWav(bytes);
  throw new TypeError(UNKNOWN);
}

function describeWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let audio = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (text(bytes, at, 4) === "fmt ") audio = wavFormat(view, start);
    else if (text(bytes, at, 4) === "data" && audio) {
      // A recorder that was cut off has written no size, or too large a one.
      return { audio, start, end: Math.min(start + (size || Infinity), bytes.length) };
    }
    at = start + size + (size % 2);
  }
  throw new TypeError(UNKNOWN);
}

function wavFormat(view, at) {
  const tag = view.getUint16(at, true);
  const [encoding, bits] = WAV_FORMATS[tag === EXTENSIBLE ? view.getUint16(at + 24, true) : tag] ?? [];
  if (encoding === undefined || bits !== view.getUint16(at + 14, true)) throw new TypeError(UNKNOWN);
  return { encoding, sample_rate: view.getUint32(at + 4, true), channels: view.getUint16(at + 2, true) };
}

/** Streams a Blob or File as one session; options and handlers are those of VoiceStream.
 *  Returns the stream. Throws TypeError, or RangeError for a recording that is too long. */
export async function streamRecording(file, options, handlers) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const { audio, start, end } = describeRecording(bytes);
  if (end - start > MOST_BYTES) throw new RangeError("the recording is too long to be streamed at once");
  const stream = new VoiceStream({ ...options, audio }, handlers);
  stream.open();
  stream.push(bytes.subarray(start, end));
  stream.finish();
  return stream;
}
