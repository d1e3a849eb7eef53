import os

import pytest
from viewer_scenes import BALL, SCENE

from luxel import InputError
from luxel.scene.description import Scene
from luxel.viewer.claim import Claim
from luxel.viewer.document import Document

RED = SCENE.with_material(BALL, base_color=(1, 0, 0))


def test_a_file_is_one_viewers_at_a_time(tmp_path):
    first = Claim(tmp_path / "a.json")
    with pytest.raises(InputError, match=r"a\.json: is open in another viewer, .* copy of the file$"):
        Claim(tmp_path / "a.json")
    Claim(tmp_path / "b.json").release()
    first.release()
    Claim(tmp_path / "a.json").release()
    assert not list(tmp_path.iterdir())


def test_nothing_is_claimed_where_nothing_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    Claim(tmp_path / "a.json")
    Claim(tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


def test_a_document_takes_its_claim_along(tmp_path):
    paths = [tmp_path / f"{name}.json" for name in "abc"]
    documents = [Document(SCENE, path) for path in paths]
    for document in documents:
        document.claim()
    documents[0].edit(RED)
    for move in (lambda: documents[0].save(paths[1]), lambda: documents[0].replace(SCENE, paths[1])):
        with pytest.raises(InputError, match=r"b\.json: is open in another viewer"):
            move()
    assert (documents[0].path, documents[0].scene) == (paths[0], RED)
    with pytest.raises(InputError, match=r"a\.json: is open in another viewer"):
        Claim(paths[0])
    documents[1].release()
    documents[0].save(paths[1])
    assert Scene.load(paths[1]) == RED
    Claim(paths[0]).release()
    with pytest.raises(InputError, match=r"b\.json: is open in another viewer"):
        documents[2].save(paths[1])
    with pytest.raises(InputError, match=r"b\.json: is a file, but a folder is meant"):
        documents[0].save(paths[1] / "d.json")
    documents[0].release()
    Claim(paths[1]).release()


def test_a_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch):
    def refuse(lock):
        raise OSError(38, "no locks")

    monkeypatch.setattr("luxel.viewer.claim.FileLock.acquire", refuse)
    Claim(tmp_path / "a.json").release()
