"""CATER's JSON: what every thing is, where it is in every frame, and what it does."""

import json

from luxel.data.export.cater_scenes import scene_entry
from luxel.data.label_files import json_of
from luxel.scene.cater.video import Cater

FRAMES = 31


def test_the_json_has_the_fields_of_cater():
    video = Cater(frames=FRAMES, max_objects=5)(5, 0)
    entry = json.loads(json_of(scene_entry(video, 0, "train", "CATER_new_000000.mp4", 14, 10)))
    assert (entry["image_index"], entry["image_filename"]) == (0, "CATER_new_000000.mp4")
    snitch = next(item for item in entry["objects"] if item["shape"] == "spl")
    keys = {
        "instance",
        "shape",
        "size",
        "sized",
        "color",
        "material",
        "3d_coords",
        "pixel_coords",
        "rotation",
        "locations",
    }
    assert set(snitch) == keys
    assert [item["instance"] for item in entry["objects"]] == list(entry["movements"])
    assert len(entry["relationships"]["left"]) == len(entry["objects"])
    assert sum(map(len, entry["movements"].values())) == sum(map(len, video.movements)) > 3
    for number, item in enumerate(entry["objects"]):
        assert list(item["locations"]) == [str(frame) for frame in range(FRAMES)]
        assert item["locations"]["0"] == item["3d_coords"]
        for action, target, start, end in entry["movements"][item["instance"]]:
            assert target is None or target in entry["movements"]
            assert 0 < start < end < FRAMES
            assert item["locations"][str(end)] == list(video.scene(end).objects[number].center)
            if action in ("_slide", "_pick_place"):
                assert item["locations"][str(start)] != item["locations"][str(end)]
