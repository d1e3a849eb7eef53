"""The split is a function of the scene's id."""

from luxel.data.split import split_of
from luxel.scene import Spheres, scene_id


def test_bounds():
    assert split_of("0" * 64, 0.1) == "test"
    assert split_of("f" * 64, 0.1) == "train"
    assert split_of("0" * 64, 0.0) == "train"
    assert split_of("f" * 64, 1.0) == "test"
    assert split_of("1999" + "0" * 60, 0.1) == "test"  # 0.09999
    assert split_of("199a" + "0" * 60, 0.1) == "train"  # 0.10001


def test_share():
    ids = [scene_id(Spheres(max_objects=1)(0, index)) for index in range(1000)]
    tests = {scene for scene in ids if split_of(scene, 0.2) == "test"}
    assert 150 < len(tests) < 250
    assert {scene for scene in ids if split_of(scene, 0.1) == "test"} < tests  # a larger share keeps the smaller
