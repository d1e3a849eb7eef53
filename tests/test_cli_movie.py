"""`luxel movie` as a user calls it."""

from pathlib import Path

from command_line import SCENE, call

from luxel.pipeline import Renderer


def test_an_interrupted_movie_goes_on_with_the_same_command(tmp_path, monkeypatch, capsys):
    """Frame by frame, to the bytes of one that was not; its exit code is Ctrl-C's."""
    monkeypatch.chdir(tmp_path)
    film = ["movie", SCENE, "--turntable", "3", "--width", "8", "--pictures", "exr", "--spp", "1"]
    assert call(*film, "--out", "whole") == 0
    assert capsys.readouterr().out == "whole: 3 frames, 0.12 s\n"
    blended, asked = Renderer.blended, []

    def interrupted(*arguments, **options):
        asked.append(1)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return blended(*arguments, **options)

    monkeypatch.setattr(Renderer, "blended", interrupted)
    assert call(*film, "--out", "cut") == 130
    assert capsys.readouterr().err.endswith("--out cut` goes on from here\n")
    assert [path.name for path in sorted(Path("cut").glob("*.exr"))] == ["00000.exr"]
    assert call(*film, "--out", "cut") == 0
    assert len(asked) == 4, "the first frame is not rendered again"
    for number in range(3):
        assert Path(f"cut/0000{number}.exr").read_bytes() == Path(f"whole/0000{number}.exr").read_bytes()


def test_a_movie_of_what_stands_still_or_has_another_look_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("movie", SCENE) == 1
    assert "still_life.json: has no keyframes (docs/movie.md)" in capsys.readouterr().err
    assert call("movie", SCENE, "--turntable", "2", "--width", "9") == 1
    assert "width is 9, must be even in an .mp4; give 10" in capsys.readouterr().err
    assert call("movie", SCENE, "--turntable", "2", "--max-depth", "9") == 1
    assert "--max-depth is 9, which is of --spp's paths, but there are none" in capsys.readouterr().err
    assert call("movie", SCENE, "--look", "dark") == 1
    assert "--look is dark, but a scene has its own look and camera" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
