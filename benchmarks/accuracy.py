"""Word error rate of what `/voice-stream` sends as finals, against offline faster-whisper.

    python benchmarks/accuracy.py --manifest FILE [--noise DIR] [--snr 10 5] [--model tiny.en]

Both hear the same audio with the same weights, in one run. Offline is faster-whisper: 30 s windows,
beam 5, int8 on the CPU, once as it comes and once with its own VAD; the difference is to the better
of the two. Texts are normalised as Whisper's authors do
(whisper-normalizer) and compared over the whole set (jiwer). The manifest is JSONL with `file`,
`text` and `set`; `--noise` names a folder whose audio files are mixed in at each `--snr`, measured
on active speech.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import time
from pathlib import Path

import jiwer
from faster_whisper import WhisperModel
from harness import Recording, finals, in_parallel, mixed, read_manifest, read_noises, service
from whisper_normalizer.english import EnglishTextNormalizer

from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.models.registry import default_models_dir, resolve


def offline(model: WhisperModel, audio: list[Samples], language: str, *, vad: bool) -> list[str]:
    """Return what faster-whisper writes for each recording."""

    def text(samples: Samples) -> str:
        segments, _ = model.transcribe(samples, language=language, beam_size=5, vad_filter=vad)
        return " ".join(segment.text for segment in segments)

    return [text(samples) for samples in audio]


async def streamed(arguments: argparse.Namespace, audio: list[Samples]) -> list[str]:
    """Return the finals of each recording, streamed to a fresh service."""
    texts = [""] * len(audio)
    with service(["--model", arguments.model, *shlex.split(arguments.serve)]) as to:
        async for index, events in in_parallel(to, audio, arguments.streams, speed=arguments.speed):
            texts[index] = " ".join(event["data"]["text"] for _, event in finals(events))
    return texts


def wer(texts: list[str], recordings: list[Recording], normalise: EnglishTextNormalizer) -> float:
    """Return the word error rate over all recordings, in per cent."""
    return 100 * jiwer.wer(
        [normalise(r.text) for r in recordings], [normalise(text) for text in texts]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=["barista"], help="sets to leave out")
    parser.add_argument("--noise", type=Path, help="a folder with noises")
    parser.add_argument("--snr", type=float, nargs="*", default=[10.0])
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--language", default="en")
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--speed", type=float, default=2.0, help="times real time")
    parser.add_argument("--limit", type=int, help="the first N recordings only")
    parser.add_argument("--show", action="store_true", help="print what was misheard")
    parser.add_argument("--serve", default="", help="options of `voice-service serve`, quoted")
    arguments = parser.parse_args()

    recordings = read_manifest(arguments.manifest, without=arguments.without)[: arguments.limit]
    noises = read_noises(arguments.noise)
    found = resolve(arguments.model, default_models_dir())
    model = WhisperModel(found.location, device="cpu", compute_type="int8")
    normalise = EnglishTextNormalizer()
    seconds = sum(len(r.samples) for r in recordings) / SAMPLE_RATE
    print(f"{len(recordings)} recordings, {seconds:.0f} s, model {arguments.model}")
    print("condition      offline  with VAD  streamed  difference   WER in %")
    for snr in [None, *(arguments.snr if noises else [])]:
        audio = [
            mixed(r, noises[i % len(noises)][1] if noises else None, snr, i)
            for i, r in enumerate(recordings)
        ]
        began = time.monotonic()
        references = [
            offline(model, audio, arguments.language, vad=False),
            offline(model, audio, arguments.language, vad=True),
        ]
        ours = asyncio.run(streamed(arguments, audio))
        plain, vad, own = (wer(texts, recordings, normalise) for texts in (*references, ours))
        name = "clean" if snr is None else f"{snr:g} dB"
        took = time.monotonic() - began
        print(
            f"{name:12} {plain:9.2f} {vad:9.2f} {own:9.2f}  {own - min(plain, vad):+10.2f}   "
            f"({took:.0f} s)",
            flush=True,
        )
        if arguments.show:
            for recording, off, text in zip(recordings, references[1], ours, strict=True):
                wanted = normalise(recording.text)
                if normalise(text) != wanted:
                    print(f"  {recording.name}\n    said     {wanted}")
                    print(f"    streamed {normalise(text)}\n    offline  {normalise(off)}")


if __name__ == "__main__":
    main()
