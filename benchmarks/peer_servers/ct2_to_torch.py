"""The weights of a CTranslate2 Whisper folder as an OpenAI checkpoint, for peers that need PyTorch.

    PYTHON ct2_to_torch.py FOLDER OUT.pt

Needs numpy and torch alone; run by the Python of a peer's environment. Prints the alignment heads
as OpenAI's code writes them (base 85 of a compressed mask). The weights must be float16 or float32,
as a folder that is not quantised has them: nothing is lost on the way.
"""

from __future__ import annotations

import base64
import gzip
import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import torch

Variables = dict[str, np.ndarray[Any, Any]]

_DTYPES: Final = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
"""CTranslate2's numbers for what a variable is made of."""
_FORMAT: Final = 6
"""The version of CTranslate2's file format that this reads."""


def read_variables(path: Path) -> Variables:
    """Return every variable of a `model.bin`; raise ValueError for any other file."""
    with path.open("rb") as file:
        (version,) = _unpack(file, "<I")
        if version != _FORMAT or _text(file) != "WhisperSpec":
            raise ValueError(f"{path} is not a Whisper model of CTranslate2's format {_FORMAT}")
        _revision, count = _unpack(file, "<II")
        return dict(_variable(file) for _ in range(count))


def _variable(file: BinaryIO) -> tuple[str, np.ndarray[Any, Any]]:
    name = _text(file)
    (rank,) = _unpack(file, "<B")
    shape = _unpack(file, f"<{rank}I")
    kind, size = _unpack(file, "<BI")
    return name, np.frombuffer(file.read(size), _DTYPES[kind]).reshape(shape)


def _unpack(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _text(file: BinaryIO) -> str:
    (length,) = _unpack(file, "<H")
    return file.read(length).rstrip(b"\0").decode()


def checkpoint(variables: Variables) -> dict[str, Any]:
    """Return `dims` and `model_state_dict`, as `whisper.load_model` reads them."""
    state = {
        name: torch.from_numpy(array.astype(np.float32))
        for name, array in _renamed(variables)
        if array.ndim
    }
    heads = {side: int(variables[f"{side}/num_heads"]) for side in ("encoder", "decoder")}
    audio, text = (variables[f"{side}/position_encodings/encodings"] for side in heads)
    dims = {
        "n_mels": variables["encoder/conv1/weight"].shape[1],
        "n_audio_ctx": audio.shape[0],
        "n_audio_state": audio.shape[1],
        "n_audio_head": heads["encoder"],
        "n_audio_layer": _layers(variables, "encoder"),
        "n_vocab": variables["decoder/embeddings/weight"].shape[0],
        "n_text_ctx": text.shape[0],
        "n_text_state": text.shape[1],
        "n_text_head": heads["decoder"],
        "n_text_layer": _layers(variables, "decoder"),
    }
    return {"dims": dims, "model_state_dict": state}


def _layers(variables: Variables, side: str) -> int:
    return len(
        [n for n in variables if n.startswith(f"{side}/") and n.endswith("ffn/linear_0/bias")]
    )


def _renamed(variables: Variables) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Return the variables by OpenAI's names; split what CTranslate2 joined into one matrix."""
    for conv in ("conv1", "conv2"):
        for part in ("weight", "bias"):
            yield f"encoder.{conv}.{part}", variables[f"encoder/{conv}/{part}"]
    yield "decoder.token_embedding.weight", variables["decoder/embeddings/weight"]
    for side, last in (("encoder", "ln_post"), ("decoder", "ln")):
        positions = variables[f"{side}/position_encodings/encodings"]
        yield f"{side}.positional_embedding", positions
        yield from _norm(variables, f"{side}/layer_norm", f"{side}.{last}")
        for layer in range(_layers(variables, side)):
            yield from _block(variables, f"{side}/layer_{layer}", f"{side}.blocks.{layer}")


def _block(variables: Variables, theirs: str, ours: str) -> Iterator[tuple[str, Any]]:
    yield from _norm(variables, f"{theirs}/self_attention/layer_norm", f"{ours}.attn_ln")
    yield from _joined(variables, f"{theirs}/self_attention/linear_0", ours, "attn", "qkv")
    yield from _linear(variables, f"{theirs}/self_attention/linear_1", f"{ours}.attn.out")
    if f"{theirs}/attention/linear_0/weight" in variables:
        yield from _norm(variables, f"{theirs}/attention/layer_norm", f"{ours}.cross_attn_ln")
        yield from _joined(variables, f"{theirs}/attention/linear_0", ours, "cross_attn", "q")
        yield from _joined(variables, f"{theirs}/attention/linear_1", ours, "cross_attn", "kv")
        yield from _linear(variables, f"{theirs}/attention/linear_2", f"{ours}.cross_attn.out")
    yield from _norm(variables, f"{theirs}/ffn/layer_norm", f"{ours}.mlp_ln")
    yield from _linear(variables, f"{theirs}/ffn/linear_0", f"{ours}.mlp.0")
    yield from _linear(variables, f"{theirs}/ffn/linear_1", f"{ours}.mlp.2")


def _norm(variables: Variables, theirs: str, ours: str) -> Iterator[tuple[str, Any]]:
    yield f"{ours}.weight", variables[f"{theirs}/gamma"]
    yield f"{ours}.bias", variables[f"{theirs}/beta"]


def _linear(variables: Variables, theirs: str, ours: str) -> Iterator[tuple[str, Any]]:
    yield f"{ours}.weight", variables[f"{theirs}/weight"]
    yield f"{ours}.bias", variables[f"{theirs}/bias"]


def _joined(
    variables: Variables, theirs: str, ours: str, attention: str, parts: str
) -> Iterator[tuple[str, Any]]:
    names = {"q": "query", "k": "key", "v": "value"}
    weights = np.split(variables[f"{theirs}/weight"], len(parts))
    biases = np.split(variables[f"{theirs}/bias"], len(parts))
    for part, weight, bias in zip(parts, weights, biases, strict=True):
        yield f"{ours}.{attention}.{names[part]}.weight", weight
        # Whisper's keys have no bias; CTranslate2 fills in zeros.
        if part != "k":
            yield f"{ours}.{attention}.{names[part]}.bias", bias


def alignment_heads(folder: Path, layers: int, heads: int) -> str:
    """Return the cross-attention heads that follow the sound, from the folder's `config.json`."""
    mask = np.zeros((layers, heads), np.bool_)
    for layer, head in json.loads((folder / "config.json").read_text())["alignment_heads"]:
        mask[layer, head] = True
    return base64.b85encode(gzip.compress(mask.tobytes(), mtime=0)).decode()


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    made = checkpoint(read_variables(folder / "model.bin"))
    torch.save(made, out)
    dims = made["dims"]
    print(alignment_heads(folder, dims["n_text_layer"], dims["n_text_head"]))


if __name__ == "__main__":
    main()
