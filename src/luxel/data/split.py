"""Which scenes are for validation and for testing: a function of the scene alone, fixed before anything is rendered."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from luxel import InputError

Split: TypeAlias = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class Shares(NamedTuple):
    """Of all scenes, for testing and for validation; the rest is for training."""

    test: float
    val: float = 0.0

    @staticmethod
    def of(settings: Mapping[str, Any]) -> "Shares":
        """Those of a manifest's settings."""
        return Shares(float(settings["test_share"]), float(settings.get("val_share", 0.0)))

    @property
    def empty(self) -> set[Split]:
        """The splits that get no scene."""
        shares: dict[Split, bool] = {"train": self.test + self.val < 1, "val": self.val > 0, "test": self.test > 0}
        return {split for split, has_some in shares.items() if not has_some}

    @property
    def words(self) -> str:
        """Both, as messages have them; that for validation only if there is some."""
        return f"test_share is {self.test}" + (f" and val_share is {self.val}" if self.val else "")


def check_shares(shares: Shares) -> None:
    """Raise InputError if there are more than all scenes in the splits."""
    if shares.test + shares.val > 1:
        raise InputError(
            f"val_share is {shares.val} and test_share is {shares.test}, must be 1 or less together, as the rest is "
            "for training"
        )


def split_of(scene_id: str, shares: Shares) -> Split:
    """The split of a scene, by the first 64 bits of its id, which is a hash and so uniform.

    Test scenes are the same whatever the share for validation.
    """
    place = int(scene_id[:16], 16)
    if place < shares.test * 2**64:
        return "test"
    return "val" if place < (shares.test + shares.val) * 2**64 else "train"
