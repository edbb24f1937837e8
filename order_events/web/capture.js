/** The microphone of this device, as chunks of PCM. */

const MOST_HZ = 48_000;
/** Decibels below full scale that a level meter shows as nothing. */
const FLOOR_DB = 60;

/** Why there is no microphone, in words for whoever sets the kiosk up. */
export function microphoneProblem(error) {
  if (!window.isSecureContext) {
    return "Browsers give the microphone only to secure pages: open this page over https, or on localhost.";
  }
  switch (error?.name) {
    case "NotAllowedError":
      return "The browser may not use the microphone. Allow it for this page, then start again.";
    case "NotFoundError":
      return "No microphone was found. Plug one in, then start again.";
    case "NotReadableError":
      return "The microphone is in use by another program.";
    default:
      return `The microphone cannot be used: ${error?.message ?? "unknown reason"}.`;
  }
}

/**
 * Opens the microphone. `chunk(Int16Array)` hears 100 ms at a time, `level(0…1)` how loud it is,
 * `lost()` that the microphone has gone. Throws as `getUserMedia` does.
 */
export async function openMicrophone({ chunk, level, lost }) {
  if (navigator.mediaDevices === undefined) throw new Error("no access to microphones");
  const stream = await navigator.mediaDevices.getUserMedia({
    // Recognition was made for rooms as they are; what browsers take for noise may be words.
    audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true },
  });
  let context = new AudioContext();
  try {
    if (context.sampleRate > MOST_HZ) {
      await context.close();
      context = new AudioContext({ sampleRate: MOST_HZ });
    }
    await context.audioWorklet.addModule(new URL("pcm-worklet.js", import.meta.url));
    await context.resume();
  } catch (error) {
    stream.getTracks().forEach((track) => track.stop());
    await context.close();
    throw error;
  }
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
  // A phone call or a sleeping tab suspends the context; it goes on when it may.
  context.onstatechange = () => context.state === "suspended" && context.resume();
  source.connect(node);
  return {
    sampleRate: context.sampleRate,
    /** Hands over the last chunk and gives the microphone back. */
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
