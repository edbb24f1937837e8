import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FakeSocket, socket } from "./fake-socket.js";
import { describeRecording, streamRecording } from "../lib/recordings.js";
import { VoiceStream } from "../lib/voice.js";

beforeEach(() => {
  FakeSocket.opened.length = 0;
});

/** Returns a WAV file with this format and data. */
function wav(tag, bits, data, { extensible = false, size = data.length } = {}) {
  const extra = extensible ? 40 : 16;
  const bytes = new Uint8Array(12 + 8 + extra + 8 + data.length);
  const view = new DataView(bytes.buffer);
  const put = (at, text) => [...text].forEach((c, i) => (bytes[at + i] = c.charCodeAt(0)));
  put(0, "RIFF");
  put(8, "WAVEfmt ");
  view.setUint32(16, extra, true);
  view.setUint16(20, extensible ? 0xfffe : tag, true);
  view.setUint16(22, 2, true);
  view.setUint32(24, 8_000, true);
  view.setUint16(34, bits, true);
  if (extensible) view.setUint16(44, tag, true);
  put(20 + extra, "data");
  view.setUint32(24 + extra, size, true);
  bytes.set(data, 28 + extra);
  return bytes;
}

test("a recording is told by its first bytes", () => {
  const data = new Uint8Array([1, 2, 3, 4]);
  const expected = { sample_rate: 8_000, channels: 2 };
  for (const [tag, bits, encoding] of [
    [1, 16, "pcm_s16le"],
    [3, 32, "pcm_f32le"],
    [6, 8, "alaw"],
    [7, 8, "mulaw"],
  ]) {
    for (const options of [{}, { extensible: true }, { size: 0 }, { size: 0xffffffff }]) {
      const file = wav(tag, bits, data, options);
      const { audio, start, end } = describeRecording(file);
      assert.deepEqual(audio, { encoding, ...expected });
      assert.deepEqual(file.subarray(start, end), data);
    }
  }
  assert.equal(describeRecording(new TextEncoder().encode("OggS…")).audio.encoding, "ogg_opus");
  assert.equal(describeRecording(new Uint8Array([0x1a, 0x45, 0xdf, 0xa3])).audio.encoding, "webm_opus");
  for (const wrong of [wav(1, 24, data), wav(85, 0, data), new Uint8Array(3)]) {
    assert.throws(() => describeRecording(wrong), TypeError);
  }
});

test("a recording is streamed in chunks that fit, and ended once they were accepted", async () => {
  const file = new Blob([wav(1, 16, new Uint8Array(70_000))]);
  let answer = null;
  const options = { url: "http://h", token: "t", lane: "1" };
  await streamRecording(file, options, { event() {}, ended: (data) => (answer = data) });
  const only = await socket(1);
  only.admit("device");
  const { lane, language, audio } = only.sent[1].data;
  assert.deepEqual({ lane, language }, { lane: "1", language: "en-US" });
  assert.deepEqual(audio, { encoding: "pcm_s16le", sample_rate: 8_000, channels: 2 });
  only.say({ type: "voice:started", data: { next_sequence: 1 } });
  const chunks = only.sent.filter(({ type }) => type === "voice:audio");
  assert.deepEqual(chunks.map(({ data }) => data.sequence), [1, 2, 3]);
  assert.equal(atob(chunks[2].data.audio).length, 6_000);
  assert.equal(only.sent.at(-1).type, "ping");
  only.say({ type: "pong", id: "sent" });
  assert.equal(only.sent.at(-1).data.duration, 70_000 / 32_000);
  only.say({ type: "voice:end", data: { order_id: "o1" } });
  assert.equal(answer.order_id, "o1");
});

test("a session that lost its connection is resumed where the server wants", async () => {
  const finals = [];
  const handlers = { event: (type, data) => data.is_final && finals.push(data.utterance) };
  const stream = new VoiceStream({ url: "http://h", token: "t" }, handlers);
  stream.open();
  const first = await socket(1);
  first.admit("device");
  first.say({ type: "voice:started", data: { next_sequence: 1 } });
  for (let i = 0; i < 4; i += 1) stream.push(new Int16Array(1_600));
  const final = { type: "voice:transcript", data: { utterance: 1, is_final: true } };
  first.say(final);
  first.end(1006);
  stream.push(new Int16Array(1_600));
  const second = await socket(2);
  second.admit("device");
  assert.deepEqual(
    [second.sent[1].data.resume, second.sent[1].data.after_utterance, stream.behind],
    [true, 1, 0.1],
  );
  second.say(final, { type: "voice:started", data: { next_sequence: 3 } });
  const again = second.sent.filter(({ type }) => type === "voice:audio");
  assert.deepEqual(again.map(({ data }) => data.sequence), [3, 4, 5]);
  assert.deepEqual(finals, [1]);
  stream.close();
});

test("another page's session goes on where the server is, and takes taps", async () => {
  let gone = 0;
  const options = { url: "http://h", token: "t", session_id: "s1", resume: true };
  const stream = new VoiceStream(options, { event() {}, gone: () => (gone += 1) });
  stream.open();
  stream.push(new Uint8Array([1, 0]));
  assert.equal(stream.answer("Medium"), false);
  const first = await socket(1);
  first.admit("device");
  const { session_id, resume } = first.sent[1].data;
  assert.deepEqual({ session_id, resume }, { session_id: "s1", resume: true });
  stream.push(new Uint8Array([2, 0]));
  first.say({ type: "voice:started", data: { next_sequence: 41 } });
  stream.push(new Uint8Array([3, 0]));
  const sequences = first.sent.filter(({ type }) => type === "voice:audio").map(({ data }) => data.sequence);
  assert.deepEqual(sequences, [41, 42, 43]);
  assert.equal(stream.changeQuantity("7", 2), true);
  assert.deepEqual(first.sent.at(-1), {
    type: "voice:quantity",
    data: { session_id: "s1", item_id: "7", quantity: 2 },
  });
  stream.said("3");
  assert.deepEqual(first.sent.at(-1), { type: "voice:said", data: { say_id: "3" } });
  stream.close();

  const late = new VoiceStream(options, { event() {}, gone: () => (gone += 1) });
  late.open();
  const second = await socket(2);
  second.admit("device");
  second.say({ type: "error", id: "start", data: { code: "SESSION_NOT_FOUND", message: "over" } });
  assert.equal(gone, 1);
  // It is not begun anew under the same id: that order is another guest's, or done.
  assert.equal(second.sent.filter(({ type }) => type === "voice:start").length, 1);
});
