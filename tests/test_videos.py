"""Data sets of videos: every frame has its labels, every action its frames, and a cut leaves no trace."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from test_encode import decoded

from luxel import InputError
from luxel.data.annotations import annotate
from luxel.data.flow import forward_flow
from luxel.data.label_files import FrameLabelChoice
from luxel.data.label_tars import LabelTar
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.movie import film_of_animation
from luxel.pipeline import Renderer
from luxel.scene.animation import Animation
from luxel.scene.cater.video import FPS, Cater
from luxel.scene.description import Scene
from luxel.videos import VideoSettings, files_of, generate_videos, write_labels

FRAMES = 31
SETTINGS = VideoSettings(Cater(frames=FRAMES, max_objects=5), count=1, seed=5, width=14, height=10, spp=0)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    torch.manual_seed(0)
    return Renderer(RayModel(RayModelConfig(width=8)))


@pytest.fixture(scope="module")
def root(renderer, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("videos") / "out"
    generate_videos(SETTINGS, renderer, folder)
    return folder


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.*")) if path.is_file()}


def test_every_frame_has_its_labels_and_its_scene(root):
    video = SETTINGS.distribution(5, 0)
    with tarfile.open(files_of(root, 0)["labels"]) as tar:
        names = tar.getnames()
        assert names == [f"{frame:05d}{suffix}" for frame in range(FRAMES) for suffix in (".npz", ".json")]
        document = json.load(tar.extractfile("00017.json"))
        arrays = np.load(io.BytesIO(tar.extractfile("00017.npz").read()))
    scene = video.scene(17)
    assert Scene.model_validate(document["scene"]) == scene
    labels = annotate(scene, 14, 10)
    np.testing.assert_array_equal(arrays["depth"], labels.depth)
    assert document["objects"][1]["visible_box"] == labels.visible_box[1].tolist()
    assert (document["frame"], document["key"]) == (17, "00017")


def test_objects_keep_their_numbers_from_frame_to_frame(root):
    labels = LabelTar(files_of(root, 0)["labels"])
    assert len(labels) == FRAMES
    things = [[(item["shape"], item["material"]) for item in frame.document["scene"]["objects"]] for frame in labels]
    assert things == [things[0]] * FRAMES
    words = json.loads(files_of(root, 0)["scenes"].read_text())["objects"]
    for frame in (labels[0], labels[30]):
        assert frame.arrays["visible"].shape == (len(things[0]), 10, 14)
        for number, thing in enumerate(words):
            at = thing["locations"][str(frame.document["frame"])]
            assert frame.document["objects"][number]["box_center"] == pytest.approx(at)


def test_flow_is_that_to_the_next_frame_and_the_last_has_none(root):
    labels, video = LabelTar(files_of(root, 0)["labels"]), SETTINGS.distribution(5, 0)
    moved = [frame for frame in range(FRAMES - 1) if labels[frame].arrays["flow"].any()]
    assert len(moved) > 5
    frame = moved[len(moved) // 2]
    scene, later = (video.scene(number) for number in (frame, frame + 1))
    np.testing.assert_array_equal(labels[frame].arrays["flow"], forward_flow(annotate(scene, 14, 10), scene, later))
    assert "flow" not in labels[FRAMES - 1].arrays


def test_labels_may_be_left_out(tmp_path):
    choice = FrameLabelChoice(depth=True)
    write_labels(tmp_path / "a.tar", SETTINGS.distribution(5, 0), 14, 10, choice)
    labels = LabelTar(tmp_path / "a.tar")[30]
    assert labels.arrays.keys() == {"depth"}
    assert "visible_box" not in labels.document["objects"][0]


def test_the_movie_format_gives_the_same_frames(root):
    animation = Animation.load(files_of(root, 0)["animations"])
    film = film_of_animation(animation, FPS)
    video = SETTINGS.distribution(5, 0)
    assert len(film) == FRAMES
    assert [film[frame] for frame in (0, 9, 30)] == [video.scene(frame) for frame in (0, 9, 30)]
    assert len(decoded(files_of(root, 0)["videos"], 14, 10)[1]) == FRAMES


def test_resumed_after_cuts_the_files_are_the_same(root, renderer, tmp_path, monkeypatch):
    calls = []

    def cut(work):
        def until(*arguments, **options):
            calls.append(arguments)
            if len(calls) == 20:
                raise KeyboardInterrupt
            return work(*arguments, **options)

        return until

    with monkeypatch.context() as patch:
        patch.setattr(renderer, "network", cut(renderer.network))
        with pytest.raises(KeyboardInterrupt):
            generate_videos(SETTINGS, renderer, tmp_path)
        patch.setattr("luxel.videos.write_labels", lambda *_: None)
        generate_videos(SETTINGS, renderer, tmp_path)
    assert len(calls) == 20 + FRAMES - 19, "frames that are there are not rendered again"
    calls.clear()
    with monkeypatch.context() as patch:
        patch.setattr("luxel.videos.annotate", cut(annotate))
        with pytest.raises(KeyboardInterrupt):
            generate_videos(SETTINGS, renderer, tmp_path)
    generate_videos(SETTINGS, renderer, tmp_path)
    assert contents(tmp_path) == contents(root)


def test_what_cannot_be_made_is_told(root, renderer, tmp_path):
    other = VideoSettings(**{**vars(SETTINGS), "seed": 6})
    with pytest.raises(InputError, match=r"out: holds another set of videos; choose.*\nseed: the folder has 5, asked"):
        generate_videos(other, renderer, root)
    (tmp_path / "mine").touch()
    with pytest.raises(InputError, match=r"neither empty nor a set of videos, videos.json is missing; choose another"):
        generate_videos(SETTINGS, renderer, tmp_path)
    with pytest.raises(InputError, match=r"width is 33, must be even in an .mp4; give 34"):
        VideoSettings(width=33)
    with pytest.raises(InputError, match=r"frames is 12, must be an integer in \[30, 100000\]"):
        Cater(frames=12)
