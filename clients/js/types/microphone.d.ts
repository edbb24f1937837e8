export interface MicrophoneHandlers {
  /** Called for every 100 ms of audio: 16-bit PCM, mono, for `VoiceStream.push`. */
  chunk(samples: Int16Array): void;
  /** Called with the loudness, 0 to 1. */
  level(level: number): void;
  /** For pages that speak: keeps what they say out of the microphone. By default false. */
  echoCancellation?: boolean;
  /** The microphone is gone. */
  lost(): void;
}

export interface Microphone {
  /** In Hz, for `audio.sample_rate`. */
  readonly sampleRate: number;
  /** Delivers the last chunk and releases the microphone. */
  stop(): Promise<void>;
}

/** Opens the microphone; throws as `getUserMedia` does. Browsers only. */
export function openMicrophone(handlers: MicrophoneHandlers): Promise<Microphone>;

/** Explains an error of `openMicrophone` to a person. */
export function microphoneProblem(error: unknown): string;
