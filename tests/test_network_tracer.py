"""Data sets by a model: the pictures are those that the renderer makes, and the manifest says so."""

import numpy as np
import pytest

from luxel import InputError
from luxel.data.dataset import ShardDataset
from luxel.data.generate import generate
from luxel.data.generate_settings import GenerateSettings
from luxel.data.manifest import DataError
from luxel.network_tracer import NetworkSettings
from luxel.pipeline import Renderer
from luxel.scene import Spheres

SETTINGS = {"distribution": Spheres(max_objects=3), "count": 3, "width": 13, "height": 11, "spp": 4, "test_share": 0.0}


def test_pictures_are_the_renderers(tmp_path):
    settings = NetworkSettings(**SETTINGS, seed=5)
    assert generate(settings, tmp_path, progress=False).is_complete
    data, renderer = ShardDataset(tmp_path, "train"), Renderer.from_pretrained("ray-small")
    batch = data.batch([0, 1, 2])
    for index in range(3):
        expected = renderer(data.scene(index), 13, 11, spp=4, seed=5)
        np.testing.assert_array_equal(batch.radiance[index].numpy(), expected)
    assert (batch.variance >= 0).all()  # none where the sky alone is seen, which is known
    assert (batch.variance > 0).any(-1).flatten(1).any(1).all()
    assert (batch.path_variance > 4 * batch.variance.mean((1, 2, 3))).all()  # the blend is nearer than its paths
    assert data.manifest.settings["renderer"].split()[2:4] == ["ray-small", renderer.fingerprint()[:16]]
    for other in (NetworkSettings(**SETTINGS, seed=5, model="ray-base"), GenerateSettings(**SETTINGS, seed=5)):
        with pytest.raises(DataError, match="holds a data set of other settings"):
            generate(other, tmp_path, progress=False)


@pytest.mark.parametrize("spp", [2, 3])
def test_how_noisy_paths_are_is_known_of_few(spp):
    """In every pixel there are two, so that the mean of their variance is of the whole picture."""
    found = NetworkSettings(**SETTINGS).make_tracer().trace([Spheres()(0, 0)], 13, 11, spp, 0)
    assert np.isfinite(found.path_variance).all()


def test_paths_are_as_deep_as_the_settings_say():
    six, nine = (NetworkSettings(**SETTINGS, max_depth=depth).make_tracer() for depth in (6, 9))
    assert (six.network.tracer.max_depth, nine.network.tracer.max_depth) == (6, 9)
    assert six.renderer != nine.renderer


def test_a_model_is_blended_with_its_own_paths_alone():
    with pytest.raises(InputError, match="tracer is mitsuba, must be path"):
        NetworkSettings(**SETTINGS, tracer="mitsuba")
