/** This device's microphone, as chunks of PCM. */

const MOST_HZ = 48_000;
/** The level, in decibels below full scale, that the meter shows as zero. */
const FLOOR_DB = 60;

/** Explains why there is no microphone, for the person who sets up the kiosk. */
export function microphoneProblem(error) {
  if (!window.isSecureContext) {
    return "Browsers allow the microphone only on secure pages. Open this page over https, or on localhost.";
  }
  switch (error?.name) {
    case "NotAllowedError":
      return "The browser is not allowed to use the microphone. Allow it for this page, then start again.";
    case "NotFoundError":
      return "No microphone was found. Plug one in, then start again.";
    case "NotReadableError":
      return "The microphone is in use by another program.";
    default:
      return `The microphone cannot be used: ${error?.message ?? "unknown reason"}.`;
  }
}

/**
 * Opens the microphone. Calls `chunk(Int16Array)` for every 100 ms of audio, `level(0…1)` with its
 * loudness, and `lost()` when the microphone is gone. `echoCancellation` is for pages that speak. Throws as
 * `getUserMedia` does.
 */
export async function openMicrophone({ chunk, level, lost, echoCancellation = false }) {
  if (navigator.mediaDevices === undefined) throw new Error("no access to microphones");
  const stream = await navigator.mediaDevices.getUserMedia({
    // Recognition copes with background noise, and what browsers suppress as noise may be words.
    audio: { channelCount: 1, echoCancellation, noiseSuppression: false, autoGainControl: true },
  });
  let context = new AudioContext();
  // A page that was loaded again may sound only after a touch.
  const wake = () => void context.resume();
  addEventListener("pointerdown", wake);
  try {
    if (context.sampleRate > MOST_HZ) {
      await context.close();
      context = new AudioContext({ sampleRate: MOST_HZ });
    }
    await context.audioWorklet.addModule(new URL("pcm-worklet.js", import.meta.url));
    await context.resume();
  } catch (error) {
    removeEventListener("pointerdown", wake);
    stream.getTracks().forEach((track) => track.stop());
    await context.close();
    throw error;
  }
  removeEventListener("pointerdown", wake);
  const source = context.createMediaStreamSource(stream);
  const node = new AudioWorkletNode(context, "pcm-capture", { numberOfOutputs: 0 });
  let drained;
  const done = new Promise((resolve) => (drained = resolve));
  node.port.onmessage = ({ data }) => {
    if (data.samples !== undefined) chunk(data.samples);
    else if (data.level !== undefined) level(loudness(data.level));
    else drained();
  };
  for (const track of stream.getAudioTracks()) track.onended = lost;
  // A phone call or a sleeping tab suspends the context. Resume it as soon as that is allowed.
  context.onstatechange = () => context.state === "suspended" && context.resume();
  source.connect(node);
  return {
    sampleRate: context.sampleRate,
    /** Delivers the last chunk and releases the microphone. */
    async stop() {
      node.port.postMessage("stop");
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 1_000))]);
      for (const track of stream.getTracks()) {
        track.onended = null;
        track.stop();
      }
      context.onstatechange = null;
      await context.close();
    },
  };
}

function loudness(rms) {
  const decibels = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.max(0, Math.min(1, 1 + decibels / FLOOR_DB));
}
