"""Derivatives of pictures: against the truth's, against other differences, and where edges move."""

import math

import numpy as np
import pytest
import torch

from luxel import InputError
from luxel.fit import differentiable_picture, leaf_names, picture_and_jacobian
from luxel.fit.gradient import Pictured, Stepping, differences, offsets_within, slope_weights
from luxel.fit.parameters import Parameters, Views, find_leaf
from luxel.fit.steps import steps
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.pipeline import Renderer
from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, SceneError, Sphere
from luxel.trace.path import PathTracer

RENDERER = Renderer.from_pretrained("ray-small")
LAMP = Material(base_color=(0, 0, 0), specular=0, emission=(20, 18, 16))
SCENE = Scene(
    objects=(
        Plane(center=(0, 0, -1), material=Material(base_color=(0.5, 0.6, 0.4), specular=0.2, roughness=0.8)),
        Ellipsoid(
            center=(0, 0, 0),
            semi_axes=(1, 0.6, 0.8),
            material=Material(base_color=(0.7, 0.5, 0.3), metallic=0.3, transmission=0.3),
        ),
        Sphere(center=(3, -3, 4), radius=0.8, material=LAMP),
    ),
    camera=Camera(position=(0, -5, 1.5), look_at=(0, 0, -0.2)),
    background=(0.3, 0.5, 0.7),
)
WIDTH = 37


def blocks(jacobian: np.ndarray, size: int = 6) -> np.ndarray:
    """The mean over blocks of so many pixels, as far as whole ones go."""
    height, width = (side // size * size for side in jacobian.shape[-3:-1])
    cut = jacobian[..., :height, :width, :]
    shape = (*cut.shape[:-3], height // size, size, width // size, size, 3)
    return cut.reshape(shape).mean((-4, -2))


def apart(found: np.ndarray, expected: np.ndarray) -> float:
    """How far two arrays are apart, over the second's length."""
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


# Against the truth


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("objects[0].material.base_color", 0.2),
        ("objects[1].material.base_color", 0.2),
        ("objects[2].material.emission", 10.0),
        ("background", 0.25),
    ],
)
def test_derivatives_are_those_of_path_traced_pictures(name, step):
    """Of the first channel, by differences that are far apart, as light is polynomial in all of these."""
    scene = SCENE.with_material(1, metallic=0.0, transmission=0.0)
    leaf, views = find_leaf(Views.of(scene), f"{name}[0]"), Views.of(scene)
    (value,) = leaf.read(views)
    ends = [leaf.written(views, [value + sign * step]).scenes[0] for sign in (1, -1)]
    above, below = PathTracer().trace(ends, WIDTH, WIDTH, 256, seed=0).mean
    truth = (above - below) / (2 * step)
    _, found = picture_and_jacobian(RENDERER, scene, [leaf.name], WIDTH)
    assert apart(blocks(found[leaf.name]), blocks(truth)) < 0.08
    assert found[leaf.name].sum() == pytest.approx(truth.sum(), rel=0.04)


# Against other differences of the same pictures


def slope(name: str, degrees: tuple[int, ...], reach: float, count: int = 64) -> np.ndarray:
    """Of an odd polynomial through differences at random lengths up to `reach` steps, none of them the product's."""
    parameters = Parameters.of(Views.of(SCENE), [name])
    (step,) = steps(parameters, parameters.start, WIDTH, 0.5)
    (value,) = parameters.read(parameters.start)
    reach = min(reach, 0.99 * value / step) if value > 0 else reach  # most are not negative
    lengths = np.random.default_rng(0).uniform(0.1, 1.0, count)
    ends = [value + sign * reach * step * length for length in lengths for sign in (1, -1)]
    pictures = RENDERER.render([parameters.at(np.array([end])).scenes[0] for end in ends], WIDTH).astype(np.float64)
    odd = (pictures[0::2] - pictures[1::2]) / (2 * reach * step)
    powers = np.stack([lengths**degree for degree in degrees], 1)
    return np.tensordot(np.linalg.pinv(powers)[0], odd, 1)


def test_a_slopes_weights_are_exact_for_polynomials():
    """Of x + 3 x² − 5 x³ on both sides, and of its first two terms on one; a line by few offsets, whatever it is of."""
    lengths = np.array([0.3, 0.7, 1.1, 2.0])
    both = np.concatenate([lengths, -lengths])
    assert slope_weights(both, True) @ (both + 3 * both**2 - 5 * both**3) == pytest.approx(1)
    assert slope_weights(-lengths, True) @ (-lengths + 3 * lengths**2) == pytest.approx(1)
    assert slope_weights(np.array([2.0, -2.0]), True) @ np.array([6.0, -10.0]) == pytest.approx(4)


def test_a_number_that_cannot_move_has_no_slope():
    assert offsets_within(np.array([0.5, 1.0]), 0.0, 0.0).tolist() == [0, 0]
    assert slope_weights(np.zeros(2), True).tolist() == [0, 0]
    assert slope_weights(np.zeros(0), False).tolist() == []


@pytest.mark.parametrize(
    ("below", "above", "expected"),
    [(9.0, 9.0, [2, 4, -2, -4]), (2.0, 9.0, [1, 2, -1, -2]), (0.5, 9.0, [2, 4]), (2.0, 0.5, [-1, -2])],
)
def test_steps_are_shortened_alike_and_near_a_bound_on_the_other_side_alone(below, above, expected):
    assert offsets_within(np.array([2.0, 4.0]), below, above).tolist() == expected


SMOOTH = [
    *("objects[0].material.base_color[1]", "objects[1].material.base_color[0]", "objects[1].material.metallic"),
    *("objects[1].material.specular", "objects[1].material.roughness", "objects[1].material.transmission"),
    *("objects[2].material.emission[2]", "background[0]", "objects[2].radius", "objects[2].center[2]"),
]
EDGES = [
    *("objects[1].center[2]", "objects[1].semi_axes[0]", "objects[1].rotation[2]"),
    *("objects[0].center[2]", "objects[0].normal[1]"),
    *("camera.position[0]", "camera.look_at[0]", "camera.up[0]", "camera.vertical_fov_degrees"),
]


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_derivatives_are_those_of_other_steps(name):
    _, found = picture_and_jacobian(RENDERER, SCENE, [name], WIDTH, pairs=12)
    is_smooth = ".material." in name and "emission" not in name
    expected = slope(name, (1, 3), 0.8) if is_smooth else slope(name, (1,), 1.45)
    assert apart(blocks(found[name]), blocks(expected)) < 0.03
    assert apart(found[name], expected) < 0.05


@pytest.mark.parametrize("name", EDGES)
def test_derivatives_where_edges_move_are_those_of_other_steps_in_the_mean(name):
    """Over blocks of 6×6 pixels; the camera's own way around a round object changes least, and is noisiest."""
    _, found = picture_and_jacobian(RENDERER, SCENE, [name], WIDTH, pairs=12)
    assert apart(blocks(found[name]), blocks(slope(name, (1,), 1.5))) < 0.06


@pytest.mark.parametrize("roughness", [0.12, 0.135, 0.15, 0.17])
def test_roughness_has_the_slope_of_its_side_of_what_chains_follow(roughness):
    """Of a parabola through pictures on that side alone; over the jump, at √0.02, differences are 1.4 to 1.8 off."""
    name, threshold = "objects[1].material.roughness", math.sqrt(0.02)
    scene = SCENE.with_material(1, metallic=0.0, transmission=0.0, roughness=roughness)
    low, high = (0.0, threshold - 1e-4) if roughness < threshold else (threshold + 1e-4, 1.0)
    values = np.random.default_rng(0).uniform(max(roughness - 0.03, low), min(roughness + 0.03, high), 24)
    pictures = RENDERER.render([scene.with_material(1, roughness=float(value)) for value in values], WIDTH)
    powers = np.stack([(values - roughness) ** power for power in range(3)], 1)
    tangent = np.linalg.lstsq(powers, pictures.reshape(24, -1).astype(np.float64))[0][1].reshape(pictures[0].shape)
    _, found = picture_and_jacobian(RENDERER, scene, [name], WIDTH)
    assert apart(blocks(found[name]), blocks(tangent)) < 0.4


def weighted_sum(scene: Scene, name: str, value: float, **paths: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the picture with this leaf, by smooth weights between 0.5 and 1.5; and the leaf."""
    rows, columns = torch.meshgrid(torch.linspace(0, 5, WIDTH), torch.linspace(0, 4, WIDTH), indexing="ij")
    weights = 1 + 0.5 * torch.sin(rows[..., None] + torch.arange(3)) * torch.cos(columns[..., None])
    leaf = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    return (differentiable_picture(RENDERER, scene, {name: leaf}, WIDTH, **paths) * weights).double().sum(), leaf


def gradient_and_difference(scene: Scene, name: str, step: float, **paths: int) -> tuple[float, float]:
    """Of `weighted_sum` by a leaf: torch's, and the central difference of the same call."""
    (value,) = find_leaf(Views.of(scene), name).read(Views.of(scene))
    total, leaf = weighted_sum(scene, name, value, **paths)
    total.backward()
    above, below = (weighted_sum(scene, name, value + sign * step, **paths)[0].item() for sign in (1, -1))
    return leaf.grad.item(), (above - below) / (2 * step)


OPAQUE = SCENE.with_material(1, metallic=0.0, transmission=0.0)
METAL = SCENE.with_material(1, metallic=1.0, transmission=0.0)


@pytest.mark.parametrize(
    ("scene", "name", "step"),
    [
        (METAL, "objects[1].material.roughness", 0.02),
        (SCENE.with_material(1, metallic=0.5, transmission=0.0), "objects[1].material.metallic", 0.01),
        (OPAQUE, "objects[0].material.specular", 0.02),
        (OPAQUE, "objects[0].material.specular", 0.002),
        (OPAQUE, "objects[0].material.base_color[1]", 0.01),
    ],
)
def test_torchs_gradient_is_a_central_difference_of_the_same_call(scene, name, step):
    """At a roughness and a metallic of 0.5 pictures jumped, and by specular a cubic does not follow them over ± 0.2.

    By roughness, differences over the jump were 16 % off torch's gradient, and that was 11 % off those by specular.
    """
    found, expected = gradient_and_difference(scene, name, step)
    assert found == pytest.approx(expected, rel=0.025)


@pytest.mark.parametrize("spp", [1, 4])
@pytest.mark.parametrize("name", ["objects[0].material.base_color[0]", "objects[2].material.emission[1]"])
def test_blended_pictures_have_gradients_whose_noise_holds_still(spp, name):
    """They are the renderer's; and a difference over 0.04, of other noise at each end, would be noise alone."""
    (value,) = find_leaf(Views.of(OPAQUE), name).read(Views.of(OPAQUE))
    picture = differentiable_picture(RENDERER, OPAQUE, {name: torch.tensor(value)}, WIDTH, spp=spp, seed=5)
    np.testing.assert_allclose(picture.numpy(), RENDERER(OPAQUE, WIDTH, spp=spp, seed=5), rtol=1e-5)
    found, expected = gradient_and_difference(OPAQUE, name, 0.02, spp=spp, seed=5)
    assert found == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("field", "lone", "beside"),
    [("transmission", 0.0, 1e-4), ("transmission", 1.0, 0.9999), ("metallic", 1.0, 0.9999), ("specular", 0.0, 1e-4)],
)
def test_a_lobe_that_comes_or_goes_is_no_part_of_the_slope(field, lone, beside):
    """With the first share of a lobe the picture jumps, by other rays: the slope is that of the pictures beside."""
    name = f"objects[1].material.{field}"
    of_pictures = [
        picture_and_jacobian(RENDERER, OPAQUE.with_material(1, **{field: value}), [name], WIDTH)[1][name]
        for value in (lone, beside)
    ]
    assert apart(blocks(of_pictures[0]), blocks(of_pictures[1])) < 0.1


# Where edges move, as the textbook has it


def silhouette() -> Scene:
    """A black box before a white panel lamp 2 high, whose left part it hides; the camera looks along y."""
    return Scene(
        objects=(
            Panel(
                center=(0, 0, 0),
                half_extents=(1, 1),
                rotation=(math.sqrt(0.5), math.sqrt(0.5), 0, 0),
                material=Material(base_color=(0, 0, 0), specular=0, emission=(3, 3, 3)),
            ),
            Box(
                center=(-1.7, -1, 0),
                half_extents=(2, 0.1, 2),
                material=Material(base_color=(0, 0, 0), specular=0),
            ),
        ),
        camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)),
    )


def test_an_edge_that_moves_over_a_lamp_hides_what_geometry_says():
    """The box's front edge, 3.9 away, moves by pixels_a_unit / 3.9 over a lamp 2 · pixels_a_unit / 5 high."""
    width = 41
    pixels_a_unit = width / (2 * math.tan(math.radians(20)))  # at distance 1
    expected = -3.0 * (pixels_a_unit / 3.9) * (2 * pixels_a_unit / 5)
    _, found = picture_and_jacobian(RENDERER, silhouette(), ["objects[1].center[0]"], width)
    sums = found["objects[1].center[0]"].sum((0, 1))
    np.testing.assert_allclose(sums, expected, rtol=0.02)


def test_a_lamp_that_grows_covers_what_geometry_says():
    """d(π r²) of the disc that a ball is seen as: tan² of its angle, sin = r / distance."""
    scene = Scene(
        objects=(Sphere(center=(0.1, 0, 0.2), radius=1, material=LAMP),),
        camera=Camera(position=(0.1, -5, 0.2), look_at=(0.1, 0, 0.2)),
    )
    width = 41
    pixels_a_unit = width / (2 * math.tan(math.radians(20)))
    area = [math.pi * pixels_a_unit**2 * r * r / (25 - r * r) for r in (0.999, 1.001)]
    _, found = picture_and_jacobian(RENDERER, scene, ["objects[0].radius"], width)
    np.testing.assert_allclose(
        found["objects[0].radius"].sum((0, 1)), np.array(LAMP.emission) * (area[1] - area[0]) / 0.002, rtol=0.02
    )


def test_a_moving_outline_agrees_in_the_mean_with_a_step_of_many_pixels():
    """The picture's first moment, that a ball's motion before a black sky shifts: by 2 pixels, and by half a one."""
    name, width, far = "objects[0].center[0]", 41, 0.2
    scene = SCENE.without(0).model_copy(update={"background": (0.0, 0.0, 0.0)})
    column = np.arange(width)[None, :, None] - (width - 1) / 2
    above, below = RENDERER.render([scene.with_object(0, center=(sign * far, 0, 0)) for sign in (1, -1)], width)
    expected = ((above - below) * column).sum((0, 1)) / (2 * far)
    _, found = picture_and_jacobian(RENDERER, scene, [name], width)
    np.testing.assert_allclose((found[name] * column).sum((0, 1)), expected, rtol=0.05)


# Bounds, names, torch


def test_at_its_bound_a_leaf_has_the_derivative_from_within():
    """White is as white as it gets, and light that is reflected once and more is about linear in what is near it."""
    scene = SCENE.with_material(0, base_color=(1.0, 0.0, 0.5), roughness=0.0)
    names = ["objects[0].material.base_color", "objects[0].material.roughness", "objects[0].material.emission"]
    _, found = picture_and_jacobian(RENDERER, scene, names, WIDTH)
    assert all(np.isfinite(jacobian).all() for jacobian in found.values())
    within = scene.with_material(0, base_color=(0.97, 0.03, 0.5))
    _, expected = picture_and_jacobian(RENDERER, within, names[:1], WIDTH)
    assert apart(found[names[0]], expected[names[0]]) < 0.05
    assert found[names[2]].sum() > 0


EVERY_SHAPE = Scene(
    objects=(
        Plane(center=(0, 0, -1)),
        Sphere(center=(-1, 0, 0), radius=0.4),
        Ellipsoid(center=(0, 0, 0), semi_axes=(0.4, 0.3, 0.5)),
        Box(center=(1, 0, 0), half_extents=(0.3, 0.2, 0.4)),
        Cylinder(center=(0, 0, 1), radius=0.2, half_height=0.3),
        Panel(center=(0, -1, 3), half_extents=(1, 1), rotation=(0, 1, 0, 0), material=LAMP),
    ),
    camera=Camera(position=(0, -5, 1), look_at=(0, 0, 0)),
    background=(0.1, 0.2, 0.3),
)


def test_every_leaf_of_every_shape_has_a_derivative():
    """But those of a lamp's surface that is black, and of an orientation that changes nothing."""
    names = leaf_names(EVERY_SHAPE)
    picture, found = picture_and_jacobian(RENDERER, EVERY_SHAPE, names, 13, 11, pairs=1)
    assert list(found) == names
    assert picture.shape == (11, 13, 3)
    np.testing.assert_array_equal(picture, RENDERER(EVERY_SHAPE, 13, 11))
    for name, jacobian in found.items():
        numbers = find_leaf(Views.of(EVERY_SHAPE), name).shape
        assert jacobian.shape == (*numbers, 11, 13, 3)
        assert np.isfinite(jacobian).all()
        if not name.startswith("objects[5].material"):
            assert jacobian.any(), name


def test_a_camera_of_several_changes_its_own_view_alone():
    cameras = [SCENE.camera, Camera(position=(4, -3, 1), look_at=(0, 0, 0))]
    parameters = Parameters.of(Views.of(SCENE, cameras), ["cameras[1].position[0]", "background[1]"])
    found = differences(Pictured(RENDERER, 13, 13), parameters, parameters.start)
    assert found.pictures.shape == (2, 13, 13, 3)
    np.testing.assert_array_equal(found.pictures, RENDERER.views(SCENE, cameras, 13))
    assert not found.jacobian[0, 0].any()
    assert found.jacobian[0, 1].any()
    assert (found.jacobian[1].sum((1, 2)) > 0)[:, 1].all()


def test_wider_steps_of_what_pictures_are_linear_in_find_the_same():
    """A background's radiance, which an empty pixel shows as it is."""
    scene = Scene(objects=(Sphere(center=(0, 0, 0), radius=0.3),), camera=SCENE.camera, background=(0.1, 0.2, 0.3))
    parameters = Parameters.of(Views.of(scene), ["background[1]"])
    for stepping in (None, Stepping(widening=3.0), Stepping(pairs=2)):
        found = differences(Pictured(RENDERER, 13, 13), parameters, parameters.start, stepping)
        np.testing.assert_allclose(found.jacobian[0, 0, 0, 0], [0, 1, 0], atol=1e-3)


def test_torch_has_the_gradients_of_any_loss():
    """Which are the Jacobian's products with the loss's gradient, for the leaves that require them."""
    color = torch.tensor([0.7, 0.5, 0.3], dtype=torch.float64, requires_grad=True)
    radius, background = torch.tensor(0.8, requires_grad=True), torch.tensor([0.3, 0.5, 0.7])
    leaves = {"objects[1].material.base_color": color, "background": background, "objects[2].radius": radius}
    picture = differentiable_picture(RENDERER, SCENE, leaves, 13, pairs=1)
    (picture**2).sum().backward()
    plain, jacobian = picture_and_jacobian(RENDERER, SCENE, list(leaves), 13, pairs=1)
    np.testing.assert_array_equal(picture.detach().numpy(), plain)
    expected = {name: (2 * plain * values).sum((-3, -2, -1)) for name, values in jacobian.items()}
    np.testing.assert_allclose(color.grad, expected["objects[1].material.base_color"], rtol=1e-4)
    np.testing.assert_allclose(radius.grad, expected["objects[2].radius"], rtol=1e-4)
    assert (color.grad.dtype, radius.grad.dtype, background.grad) == (torch.float64, torch.float32, None)
    without = {name: value.detach() for name, value in leaves.items()}
    assert not differentiable_picture(RENDERER, SCENE, without, 13).requires_grad


def test_what_cannot_be_is_told():
    with pytest.raises(
        InputError, match=r"^'objects\[1\]\.centre' is no parameter .* did you mean objects\[1\]\.center"
    ):
        picture_and_jacobian(RENDERER, SCENE, ["objects[1].centre"])
    with pytest.raises(InputError, match=r"^pixels is 0.0, must be a number in \[0\.01, 100\]"):
        picture_and_jacobian(RENDERER, SCENE, ["background"], pixels=0.0)
    with pytest.raises(InputError, match=r"^widening is 0.0, must be a number in \(0, 1e\+06\]"):
        Stepping(widening=0.0)
    with pytest.raises(InputError, match=r"^pairs is 0, must be an integer in \[1, 1000\]"):
        picture_and_jacobian(RENDERER, SCENE, ["background"], pairs=0)
    with pytest.raises(InputError, match=r"^background is of shape \(2,\), must be \(3,\)"):
        differentiable_picture(RENDERER, SCENE, {"background": torch.zeros(2)})
    with pytest.raises(SceneError, match=r"base_color\[0\] is 2.0, must be in \[0, 1\]"):
        differentiable_picture(RENDERER, SCENE, {"objects[1].material.base_color": torch.tensor([2.0, 0, 0])})


def test_more_scenes_than_are_rendered_at_once_change_nothing(monkeypatch):
    names = ["objects[1].center", "background"]
    _, expected = picture_and_jacobian(RENDERER, SCENE, names, 13, pairs=2)
    monkeypatch.setattr("luxel.fit.gradient.PIXELS_AT_ONCE", 5 * 13 * 13)
    _, found = picture_and_jacobian(RENDERER, SCENE, names, 13, pairs=2)
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, atol=1e-3)


def test_any_ray_model_has_derivatives():
    torch.manual_seed(0)
    renderer = Renderer(RayModel(RayModelConfig(width=13, hidden=11)))
    _, found = picture_and_jacobian(renderer, SCENE, ["background"])
    assert found["background"].sum((1, 2)).diagonal().min() > 0
