"""Which scenes are for testing: a function of the scene alone, fixed before anything is rendered."""

from typing import Literal, TypeAlias, get_args

Split: TypeAlias = Literal["train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


def split_of(scene_id: str, test_share: float) -> Split:
    """The split of a scene, by the first 64 bits of its id, which is a hash and so uniform."""
    return "test" if int(scene_id[:16], 16) < test_share * 2**64 else "train"
