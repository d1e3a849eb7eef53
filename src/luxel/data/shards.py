"""The shard: up to 256 scenes with their tokens and their traced images, in one safetensors file.

| tensor         | dtype   | shape                          |                                            |
|----------------|---------|--------------------------------|--------------------------------------------|
| objects        | float32 | [scenes, objects, features]    | tokens, see `luxel.scene.tokens`           |
| mask           | bool    | [scenes, objects]              |                                            |
| camera         | float32 | [scenes, 1]                    |                                            |
| background     | float32 | [scenes, 3]                    |                                            |
| radiance       | float32 | [scenes, height, width, 3]     | linear RGB                                 |
| variance       | float32 | [scenes, height, width, 3]     | of `radiance`                              |
| ids            | uint8   | [scenes, 32]                   | scene ids (SHA-256)                        |
| scenes         | uint8   | [bytes]                        | the scenes' canonical JSON, one after another |
| scene_offsets  | int64   | [scenes + 1]                   | where each begins and ends                 |

The bytes depend on the scenes and images alone: no date, no machine, no order of a dictionary.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from luxel.data.atomic import write_atomically
from luxel.data.manifest import DataError, ShardEntry
from luxel.data.split import Split
from luxel.scene.description import Scene, scene_id
from luxel.scene.tokens import encode
from luxel.trace.tracer import Radiance

SCENES_A_SHARD = 256
PER_SCENE = ("objects", "mask", "camera", "background", "radiance", "variance")  # what a batch is made of


def shard_file(split: Split, number: int) -> str:
    """The file name of a split's shard."""
    return f"{split}-{number:05d}.safetensors"


def write_shard(root: Path, split: Split, number: int, scenes: Sequence[Scene], radiance: Radiance) -> ShardEntry:
    """Write one shard into the folder, atomically, and return its line of the manifest."""
    tokens = encode(scenes)
    texts = [scene.to_json().encode() for scene in scenes]
    content = save(
        {
            **tokens._asdict(),
            "radiance": radiance.mean,
            "variance": radiance.variance,
            "ids": np.array([list(bytes.fromhex(scene_id(scene))) for scene in scenes], np.uint8),
            "scenes": np.frombuffer(b"".join(texts), np.uint8),
            "scene_offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64),
        }
    )
    file = shard_file(split, number)
    write_atomically(root / file, content)
    return ShardEntry(file, split, len(scenes), tokens.objects.shape[1], hashlib.sha256(content).hexdigest())


class ShardReader:
    """A memory-mapped shard; opened when first read, and anew in a process that it is sent to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None

    def row(self, name: str, row: int) -> np.ndarray:
        """One scene's row of a tensor; a copy."""
        return np.asarray(self._open().get_slice(name)[row])

    def whole(self, name: str) -> np.ndarray:
        """A whole tensor; a copy."""
        return np.asarray(self._open().get_tensor(name))

    def scene(self, row: int) -> Scene:
        """One scene, exactly as it was rendered."""
        offsets = self.whole("scene_offsets")
        text = self._open().get_slice("scenes")[int(offsets[row]) : int(offsets[row + 1])]
        return Scene.from_json(text.tobytes(), f"{self._path}, scene {row}")

    def _open(self) -> Any:
        if self._file is None:
            try:
                self._file = safe_open(self._path, framework="numpy")
            except (OSError, SafetensorError) as error:
                raise DataError(f"{self._path}: can't be read as a shard: {error}") from None
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        return {"_path": self._path, "_file": None}
