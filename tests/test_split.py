"""The split is a function of the scene's id."""

import pytest

from luxel import InputError
from luxel.data.generate_settings import GenerateSettings
from luxel.data.split import Shares, check_shares, split_of
from luxel.scene import Spheres, scene_id


def test_bounds():
    assert split_of("0" * 64, Shares(0.1)) == "test"
    assert split_of("f" * 64, Shares(0.1)) == "train"
    assert split_of("0" * 64, Shares(0.0)) == "train"
    assert split_of("f" * 64, Shares(1.0)) == "test"
    assert split_of("1999" + "0" * 60, Shares(0.1)) == "test"  # 0.09999
    assert split_of("199a" + "0" * 60, Shares(0.1)) == "train"  # 0.10001


def test_share():
    ids = [scene_id(Spheres(max_objects=1)(0, index)) for index in range(1000)]
    tests = {scene for scene in ids if split_of(scene, Shares(0.2)) == "test"}
    assert 150 < len(tests) < 250
    assert {
        scene for scene in ids if split_of(scene, Shares(0.1)) == "test"
    } < tests  # a larger share keeps the smaller


def test_validation_is_beside_testing_and_takes_nothing_from_it():
    ids = [f"{number:02x}" + "7" * 62 for number in range(256)]
    both = [split_of(each, Shares(0.25, 0.125)) for each in ids]
    assert [both.count(split) for split in ("test", "val", "train")] == [64, 32, 160]
    assert [split == "test" for split in both] == [split_of(each, Shares(0.25)) == "test" for each in ids]
    assert split_of("f" * 64, Shares(0.5, 0.5)) == "val"


def test_splits_without_scenes_are_known():
    assert Shares(0.1).empty == {"val"}
    assert Shares(1.0).empty == {"train", "val"}
    assert Shares(0.0, 1.0).empty == {"train", "test"}
    assert Shares.of({"test_share": 0.25}) == (0.25, 0.0)
    assert Shares.of({"test_share": 0.25, "val_share": 0.5}) == (0.25, 0.5)


def test_more_than_all_scenes_are_told():
    check_shares(Shares(0.5, 0.5))
    with pytest.raises(InputError, match=r"val_share is 0\.6 and test_share is 0\.5, must be 1 or less together"):
        GenerateSettings(test_share=0.5, val_share=0.6)
