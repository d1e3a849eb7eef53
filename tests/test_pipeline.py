import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from tracer_scenes import room

import luxel.memory
from luxel import InputError, pipeline
from luxel.core.fragments import PIXEL_RAYS, visible_fragments
from luxel.core.scene_batch import SceneBatch
from luxel.experiments.base import tiny_model
from luxel.files.seal import without_seal
from luxel.models import blending, ray_model, visible_surfaces
from luxel.models.image_model import ImageModel, ImageModelConfig
from luxel.models.path_allocation import allocated_paths
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.models.tokens import OBJECT_FEATURES
from luxel.pipeline import Renderer
from luxel.scene import Box, Camera, Cylinder, Material, Panel, Plane, Scene, Sphere, Sun
from luxel.scene.description import Object
from luxel.trace.path import PathTracer
from luxel.trained_models import SHIPPED

CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
ONE = Scene(objects=(Sphere(center=(0, 0, 0), radius=1.0),), camera=CAMERA, background=(0.2, 0.2, 0.2))
TWO = Scene(objects=(Sphere(center=(-1, 0, 0), radius=0.5), Sphere(center=(1, 0, 0), radius=0.3)), camera=CAMERA)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("run")
    ImageModel(tiny_model()).save_pretrained(path / "model")
    return path


def test_a_run_folder_and_its_weights_folder_are_the_same_renderer(folder):
    images = [Renderer.from_pretrained(path)(ONE) for path in (folder, folder / "model", str(folder))]
    assert images[0].shape == (16, 16, 3)
    assert images[0].dtype == np.float32
    for image in images[1:]:
        np.testing.assert_array_equal(image, images[0])


def test_a_batch_is_its_scenes(folder):
    renderer = Renderer.from_pretrained(folder)
    both = renderer.render([ONE, TWO])
    for image, scene in zip(both, (ONE, TWO), strict=True):
        np.testing.assert_allclose(image, renderer(scene), rtol=1e-4, atol=1e-5)


def test_paths_go_as_deep_as_they_are_asked_to():
    """Behind three panes a path of 6 segments sees nothing but the sky in their faces."""
    clear = Material(base_color=(1, 1, 1), transmission=1, roughness=0)
    panes = tuple(Box(center=(0, -y, 0), half_extents=(3, 0.05, 3), material=clear) for y in (2.0, 2.5, 3.0))
    lit = Material(base_color=(0, 0, 0), emission=(5, 5, 5))
    scene = Scene(objects=(*panes, Sphere(center=(0, 0, 0), radius=1.0, material=lit)), camera=CAMERA)
    side, middle = 33, (slice(13, 20), slice(13, 20))
    deep, shallow = (
        Renderer.from_pretrained("ray-small", max_depth=depth)(scene, side, spp=64)[middle].mean() for depth in (32, 6)
    )
    assert shallow < 0.3 < 3 < deep
    truth = PathTracer(max_depth=32).trace([scene], side, side, 256, 0).mean[0][middle].mean()
    assert deep == pytest.approx(truth, rel=0.02)
    for wrong in (0, 10_001):
        with pytest.raises(InputError, match=r"max_depth is .+, must be an integer in"):
            Renderer.from_pretrained("ray-small", max_depth=wrong)


def test_the_default_model_takes_the_tokens_there_are():
    assert tiny_model().object_features == OBJECT_FEATURES


def test_another_size_is_refused_with_the_remedy(folder):
    renderer = Renderer.from_pretrained(folder)
    assert renderer(ONE, 16, 16).shape == (16, 16, 3)
    with pytest.raises(InputError, match=r"^width is 32, but this model renders 16×16 alone; leave it out"):
        renderer(ONE, width=32)
    with pytest.raises(InputError, match=r"^height is 8, but this model renders 16×16 alone; leave it out"):
        renderer(ONE, height=8)
    with pytest.raises(InputError, match=r"^width is 16 and height is 8, but .* leave both out, or take a ray model"):
        renderer(ONE, 16, 8)


OTHERS: list[Object] = [
    Box(center=(0, 0, 0), half_extents=(1, 1, 1)),
    Cylinder(center=(0, 0, 0), radius=1, half_height=1),
    Panel(center=(0, 0, 0), half_extents=(1, 1)),
    Plane(center=(0, 0, 0)),
]


@pytest.mark.parametrize("item", OTHERS, ids=lambda item: item.shape)
def test_an_image_model_is_not_asked_for_a_shape_that_it_would_take_for_another(folder, item):
    renderer = Renderer.from_pretrained(folder)
    scene = Scene(objects=(*ONE.objects, item), camera=CAMERA)
    expected = rf"objects\[1\]\.shape is {item.shape}, but an image model knows spheres and ellipsoids alone"
    with pytest.raises(InputError, match=f"^{expected}"):
        renderer(scene)
    with pytest.raises(InputError, match=f"^scene 2: {expected}"):
        renderer.render([ONE, TWO, scene])


def test_weights_of_another_network_are_refused_with_their_folder(folder, tmp_path):
    for file in ("config.json", "model.safetensors"):
        (tmp_path / file).write_bytes((folder / "model" / file).read_bytes())
    config = without_seal(json.loads((tmp_path / "config.json").read_text()))
    (tmp_path / "config.json").write_text(json.dumps({**config, "seq_width": 64}))
    with pytest.raises(InputError, match=f"{tmp_path}.*not the weights of the model in config.json"):
        Renderer.from_pretrained(tmp_path)


def test_a_folder_without_weights_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"no model\.safetensors.*luxel train"):
        Renderer.from_pretrained(tmp_path)


def test_a_file_is_no_model(folder):
    with pytest.raises(InputError, match=r"config\.json is a file; give the folder of a model"):
        Renderer.from_pretrained(folder / "model" / "config.json")


SCENES = sorted((Path(__file__).parents[1] / "examples" / "scenes").glob("*.json"))


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_the_shipped_model_renders_scenes_written_by_hand(path):
    """Nearer to the truth by far than the sky alone, the best of constant pictures at hand."""
    scene = Scene.load(path)
    image = Renderer.from_pretrained("ray-small")(scene, 40, 30)
    truth = PathTracer().trace([scene], 40, 30, 64, seed=0).mean[0]
    assert image.shape == truth.shape
    error, of_the_sky = (np.abs(np.log1p(other) - np.log1p(truth)).mean() for other in (image, scene.background))
    assert error < 0.25 * of_the_sky  # of which up to a half is the noise of the truth


@pytest.mark.parametrize("name", ["ray-small", "ray-base"])
def test_a_shipped_model_comes_with_its_card_and_is_small(name):
    folder = SHIPPED / name
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    model = {"README.md", "config.json", "model.safetensors"}
    assert files == model | {f"blender/{file}" for file in model}
    assert sum((folder / file).stat().st_size for file in files) < 10e6
    assert Renderer.from_pretrained(name).blender is not None


def test_an_unknown_name_is_told_which_there_are():
    with pytest.raises(
        InputError, match=r"nothing is neither a folder nor a model that comes with Luxel.*: ray-base, ray-small"
    ):
        Renderer.from_pretrained("nothing")


def test_a_ray_model_renders_any_size_and_several_views_of_a_scene_at_once():
    renderer = Renderer(RayModel(RayModelConfig()))
    assert renderer(ONE, 7).shape == (7, 7, 3)
    cameras = [Camera(position=(0, -y, 0), look_at=(0, 0, 0)) for y in (4.0, 6.0)]
    near, far = renderer.views(ONE, cameras, 9, 5)
    assert near.shape == far.shape == (5, 9, 3)
    for view, camera in zip((near, far), cameras, strict=True):
        np.testing.assert_allclose(view, renderer(ONE.with_camera(**dict(camera)), 9, 5), rtol=1e-4)
    shown = [np.abs(view - ONE.background).max(axis=2) > 1e-3 for view in (near, far)]
    assert shown[0].sum() > shown[1].sum() > 0, "the nearer the camera, the larger the sphere"
    with pytest.raises(InputError, match=r"^width is 0, must be an integer in \[1, 65536\]"):
        renderer(ONE, 0, 5)


def test_small_pictures_and_their_blends_do_not_ask_for_memory(monkeypatch):
    """To ask takes 0.3 ms."""
    asked = []
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough=None: asked.append(enough) or 2**40)
    renderer = Renderer.from_pretrained("ray-small")
    renderer(ONE, 32, spp=2)
    assert not asked
    renderer(ONE, 448)
    assert len(asked) == 1


def test_a_picture_that_does_not_fit_into_memory_is_refused_before_it_is_begun(folder, monkeypatch):
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough=None: 2**30)
    ray = Renderer(RayModel(RayModelConfig()))
    with pytest.raises(InputError, match=r"^width is 60000 and height is 60000 .* GiB of memory, of which 1 GiB"):
        ray(ONE, 60_000)
    assert ray(ONE, 8).shape == (8, 8, 3)
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough=None: 2**29)
    crowd = Scene(objects=ONE.objects * 200_000, camera=CAMERA)
    with pytest.raises(InputError, match=r"objects in one: 200000\): that takes some .* MiB of memory"):
        Renderer(ImageModel(ImageModelConfig()))(crowd)


def test_a_renderer_is_shown_on_one_line(folder):
    renderer = Renderer.from_pretrained(folder)
    count = sum(weights.numel() for weights in renderer.model.parameters())
    assert repr(renderer) == f"Renderer({folder}: {count:,} parameters, 16×16, on cpu)"
    assert repr(Renderer(RayModel(RayModelConfig()))).startswith("Renderer(RayModel: ")
    assert repr(Renderer(RayModel(RayModelConfig()))).endswith(" parameters, any size, on cpu)")


def test_radiance_is_never_negative(folder):
    """An image model's last unit, celu, goes down to a little below 0."""
    renderer = Renderer.from_pretrained(folder)
    with torch.no_grad():
        renderer.model.head.bias.fill_(-9)
    assert (renderer(ONE) == 0).all()


LIT = Scene(
    objects=(
        Sphere(center=(0, 0, -101), radius=100.0),
        Sphere(center=(0, 0, -0.5), radius=0.5),
        Sphere(center=(1.5, -1.5, 2), radius=0.4, material=Material(emission=(8, 8, 6))),
    ),
    camera=CAMERA,
    background=(0.05, 0.05, 0.1),
)


@pytest.fixture(scope="module")
def truth_of_lit() -> np.ndarray:
    return PathTracer().trace([LIT], 16, 16, 1 << 14, seed=9).mean[0]


@pytest.mark.parametrize("kind", ["ray", "image", "shipped"])
def test_paths_bring_any_models_picture_to_the_truth(folder, truth_of_lit, kind):
    renderer = {
        "ray": lambda: Renderer(RayModel(RayModelConfig(light_rays=1, diffuse_rays=1, filtering=False))),
        "image": lambda: Renderer.from_pretrained(folder),
        "shipped": lambda: Renderer.from_pretrained("ray-small"),
    }[kind]()
    errors = [np.square(renderer(LIT, 16, spp=spp, seed=1) - truth_of_lit).mean() for spp in (0, 64, 1024)]
    assert errors[2] < errors[0] / 4
    assert errors[2] < errors[1] / 4


def test_a_model_without_a_blender_is_one_of_its_own(tmp_path):
    """What is saved of a renderer's model has none, and paths are blended by what their variances say."""
    shipped = Renderer.from_pretrained("ray-small")
    shipped.model.save_pretrained(tmp_path)
    own = Renderer.from_pretrained(tmp_path)
    assert own.blender is None
    np.testing.assert_array_equal(own(LIT, 16), shipped(LIT, 16))
    assert np.abs(own(LIT, 16, spp=4) - shipped(LIT, 16, spp=4)).max() > 0


def test_a_seed_decides_the_paths_and_a_batch_is_its_scenes():
    renderer = Renderer.from_pretrained("ray-small")
    both = renderer.render([LIT, ONE], 16, 12, spp=4, seed=3)
    np.testing.assert_array_equal(both, renderer.render([LIT, ONE], 16, 12, spp=4, seed=3))
    np.testing.assert_allclose(both[0], renderer(LIT, 16, 12, spp=4, seed=3), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(both[1], renderer(ONE, 16, 12, spp=4, seed=3), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(both[0], renderer.views(LIT, [CAMERA], 16, 12, spp=4, seed=3)[0], rtol=1e-4, atol=1e-6)
    assert np.abs(both[0] - renderer(LIT, 16, 12, spp=4)).max() > 0
    picture = renderer.render([LIT], 16, 12)
    network = renderer.network([LIT], 16, 12)
    np.testing.assert_array_equal(renderer.blended(network, 4, 3)[0], renderer(LIT, 16, 12, spp=4, seed=3))
    for same in (renderer.blended(network, 0), renderer.refined([LIT], picture, 0)):
        np.testing.assert_array_equal(same, picture)


def test_a_ray_model_knows_what_its_pictures_are_made_of_and_others_are_taken_apart(folder, monkeypatch):
    """As pictures are that are given, a ray model's, too."""
    renderer, asked = Renderer.from_pretrained("ray-small"), []

    def taken_apart(*given):
        asked.append(given)
        return visible_surfaces.unmixed(*given)

    monkeypatch.setattr(blending, "unmixed", taken_apart)
    own = renderer(LIT, 16, 12, spp=4)
    renderer.estimate(LIT, 16, 12, 4)
    list(islice(renderer.progress(LIT, 16, 12), 3))
    assert not asked
    network = renderer.network([LIT], 16, 12)
    given = renderer.refined([LIT], network.radiance.numpy(), 4)[0]
    assert len(asked) == 1
    assert np.abs(given - own).max() > 1e-3 * own.max()
    Renderer.from_pretrained(folder)(ONE, spp=2)
    assert len(asked) == 2


def test_what_pixels_show_is_found_once_for_the_network_and_for_paths(monkeypatch):
    renderer, found = Renderer.from_pretrained("ray-small"), []

    def counted(*arguments):
        found.append(arguments)
        return visible_fragments(*arguments)

    expected = renderer.blended(renderer.network([LIT], 13, 7)._replace(fragments=None), 4)[0]
    for module in (pipeline, ray_model, visible_surfaces):
        monkeypatch.setattr(module, "visible_fragments", counted)
    assert (renderer(LIT, 13, 7, spp=4) == expected).all()
    assert len(found) == 1


def test_paths_go_where_the_picture_has_contrast(monkeypatch):
    """By the network's picture or by a given one, and in each pass of progress; more of them at the ball's edge."""
    given, traced = [], PathTracer.sample_fragments

    def recorded(tracer, batch, fragments, spp, *rest):
        given.append(spp)
        return traced(tracer, batch, fragments, spp, *rest)

    monkeypatch.setattr(PathTracer, "sample_fragments", recorded)
    renderer = Renderer.from_pretrained("ray-small")
    picture = renderer(LIT, 16, 12)
    renderer(LIT, 16, 12, spp=16)
    renderer.refined([LIT], picture[None], 16)
    assert [step.spp for step in islice(renderer.progress(LIT, 16, 12), 4)] == [0, 4, 8, 16]
    expected = [allocated_paths(torch.from_numpy(picture)[None], spp) for spp in (16, 16, 4, 4, 4, 4)]
    for spp, own in zip(given, expected, strict=True):
        assert (spp == own).all()
    assert given[0].unique().tolist() == [4, 8, 16, 64, 128]


@pytest.mark.parametrize("together", [13 * 7 - 1, 13 * 7], ids=["rows", "whole"])
@pytest.mark.parametrize("pixel_rays", [7, PIXEL_RAYS])
def test_the_networks_picture_is_the_models_whoever_finds_what_pixels_show(pixel_rays, together, monkeypatch):
    """By other rays through a pixel than paths need, or in bands of rows, it finds that for itself."""
    renderer = Renderer(RayModel(RayModelConfig(pixel_rays=pixel_rays)))
    for module in (pipeline, ray_model):
        monkeypatch.setattr(module, "PIXELS_AT_ONCE", together)
    picture = renderer.network([LIT], 13, 7)
    assert (picture.fragments is None) == (pixel_rays != PIXEL_RAYS or together < 13 * 7)
    assert (picture.of_fragments is None) == (pixel_rays != PIXEL_RAYS)
    with torch.inference_mode():
        expected = renderer.model(SceneBatch.of([LIT]), width=13, height=7)
    assert (picture.radiance == expected).all()


def test_the_same_noise_is_in_all_scenes_where_it_is_asked_for():
    """Of two scenes that differ in the length of the camera's vertical alone, so that their pictures are the same."""
    renderer, scenes = Renderer(RayModel(RayModelConfig(width=8))), [ONE, ONE.with_camera(up=(0, 0, 2))]
    network = renderer.render(scenes, 8)
    other, same = (renderer.refined(scenes, network, 2, same_noise=asked) for asked in (False, True))
    assert np.abs(other[0] - other[1]).max() > 1e-3
    np.testing.assert_array_equal(same[0], same[1])


def test_a_fingerprint_is_of_weights_and_configurations():
    torch.manual_seed(0)
    model = RayModel(RayModelConfig(width=8))
    plain, first = Renderer(model), Renderer(model).fingerprint()
    assert plain.fingerprint() == first
    assert Renderer(model, blender=Renderer.from_pretrained("ray-small").blender).fingerprint() != first
    with torch.no_grad():
        next(model.parameters()).add_(1)
    assert plain.fingerprint() != first


def test_progress_gets_better_and_says_how_good_it_is():
    renderer = Renderer.from_pretrained("ray-small")
    steps = list(islice(renderer.progress(LIT, 16, 12), 8))
    assert [step.spp for step in steps] == [0, 4, 8, 16, 32, 64, 128, 192]
    assert np.isnan(steps[0].error)
    np.testing.assert_array_equal(steps[0].radiance, renderer(LIT, 16, 12))
    truth = PathTracer().trace([LIT], 16, 12, 1 << 14, seed=9).mean[0]
    errors = [float(np.sqrt(np.square(step.radiance - truth).mean())) for step in steps]
    assert errors[-1] < 0.5 * errors[0]
    assert 0.25 < steps[-1].error / errors[-1] < 4
    again = list(islice(renderer.progress(LIT, 16, 12), 3))
    np.testing.assert_array_equal(again[-1].radiance, steps[2].radiance)
    assert steps[0].paths is None
    np.testing.assert_allclose(steps[-1].paths.mean((0, 1)), truth.mean((0, 1)), rtol=0.1)
    assert np.square(steps[-1].paths - truth).mean() < 0.2 * np.square(steps[1].paths - truth).mean()


MIRROR = Material(base_color=(0.95, 0.95, 0.95), metallic=1.0, roughness=0.04)
CLEAR = Material(base_color=(1, 1, 1), transmission=1.0, roughness=0.04)
BY_CHANCE = {
    "a room of mirrors": Scene(
        objects=(
            *(
                wall.model_copy(update={"material": MIRROR} if at in (1, 2, 4) else {})
                for at, wall in enumerate(room())
            ),
            Sphere(center=(-1, 0.5, 0.6), radius=0.12, material=Material(base_color=(0, 0, 0), emission=(60, 60, 50))),
            Sphere(center=(0.6, 0.3, -0.8), radius=0.4),
            Box(center=(-0.4, 0.8, -0.7), half_extents=(0.3, 0.3, 0.5)),
        ),
        camera=Camera(position=(0.2, -3.5, 0.2), look_at=(0, 0, -0.1)),
        background=(0, 0, 0),
    ),
    "a lamp in glass": Scene(
        objects=(
            Plane(center=(0, 0, -1)),
            Sphere(center=(0, 0, 0), radius=0.5, material=CLEAR),
            Sphere(center=(0, 0, 0), radius=0.2, material=Material(base_color=(0, 0, 0), emission=(30, 28, 20))),
            Sphere(center=(1, 0.5, -0.6), radius=0.4),
            Box(center=(-1, 0.6, -0.6), half_extents=(0.3, 0.3, 0.4)),
        ),
        camera=Camera(position=(0, -4.5, 0.8), look_at=(0, 0, -0.3)),
        background=(0.02, 0.02, 0.02),
    ),
}


@pytest.mark.parametrize("name", BY_CHANCE)
def test_the_estimated_error_is_honest_where_paths_find_light_by_chance(name):
    """Over two runs it is never less than two thirds of what it is, and at most four times that.

    What variances alone expect (`combine`) is a third of it with 4 paths, or less, and grows with more.
    """
    scene, renderer = BY_CHANCE[name], Renderer.from_pretrained("ray-small")
    halves = [PathTracer().trace([scene], 24, 24, 2048, seed).mean[0] for seed in (50, 51)]
    runs = [list(islice(renderer.progress(scene, 24, seed=seed), 1, 6)) for seed in (0, 1)]
    found = []
    for steps in zip(*runs, strict=True):
        truth = np.mean([((step.radiance - halves[0]) * (step.radiance - halves[1])).mean() for step in steps])
        found.append(np.sqrt(np.mean([step.error**2 for step in steps])))
        assert 2 / 3 < found[-1] / np.sqrt(truth) < 4, steps[0].spp
    assert (np.diff(found) < 0.1 * found[0]).all()


def test_progress_is_given_up_by_what_its_callback_raises():
    pixels: list[int] = []

    def traced(count: int) -> None:
        pixels.append(count)
        if sum(pixels) > 16 * 12:
            raise TimeoutError

    steps = Renderer.from_pretrained("ray-small").progress(LIT, 16, 12, traced=traced)
    assert [next(steps).spp, next(steps).spp] == [0, 4]
    assert sum(pixels) == 16 * 12
    with pytest.raises(TimeoutError):
        next(steps)


def test_paths_out_of_range_and_pictures_of_others_are_refused(folder, monkeypatch):
    renderer = Renderer.from_pretrained("ray-small")
    with pytest.raises(InputError, match=r"^spp is -1, must be an integer in \[0, 16777216\]"):
        renderer(LIT, 8, spp=-1)
    with pytest.raises(InputError, match=r"^seed is -1"):
        next(renderer.progress(LIT, 8, seed=-1))
    shape = r"^radiance has the shape \(2, 8, 8, 3\), must be what render\(scenes\) returns: float32 \[1,"
    with pytest.raises(InputError, match=shape):
        renderer.refined([LIT], renderer.render([LIT, ONE], 8), 4)
    with pytest.raises(InputError, match=r"^width is 32, but this model renders 16×16 alone"):
        Renderer.from_pretrained(folder)(ONE, width=32, spp=4)
    picture = renderer.render([LIT], 512)
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough=None: 2**26)
    with pytest.raises(InputError, match=r"^spp is 4, for 1 pictures of 512×512: that takes some .* of memory"):
        renderer.refined([LIT], picture, 4)


def test_sunlight_through_glass_that_paths_miss_is_not_lost_in_a_blend():
    """A path meets the sun's disc by chance once in 47 000 times; the block's face hides the ground that it lights."""
    glass = Material(base_color=(1, 1, 1), transmission=1.0, roughness=0.0)
    block = Box(center=(0, 0, 0.5), half_extents=(0.9, 0.7, 0.5), material=glass)
    scene = Scene(
        camera=Camera(position=(0, -6, 3), look_at=(0, 0, 0.6), vertical_fov_degrees=35),
        objects=(Plane(center=(0, 0, 0), material=Material(base_color=(0.7, 0.7, 0.6))), block),
        background=(0.2, 0.2, 0.3),
        sun=Sun(direction=(-0.5, -0.35, 0.8), radiance=(37_000, 35_000, 31_000)),
    )
    renderer = Renderer.from_pretrained("ray-small")
    picture = renderer.network([scene], 40)
    assert picture.of_fragments is not None
    unknown = picture.of_fragments._replace(
        least_path_variance=torch.zeros_like(picture.of_fragments.least_path_variance)
    )
    kept, lost = (renderer.blended(each, 4)[0].mean(-1) for each in (picture, picture._replace(of_fragments=unknown)))
    network = picture.radiance[0].mean(-1).numpy()
    lit = lost < 0.7 * network
    assert lit.sum() > 40
    assert kept[lit].mean() > 0.85 * network[lit].mean()
