"""Distributions: the same everywhere, and as they are described."""

import hashlib

import numpy as np
import pytest
from scipy import stats

from luxel import InputError
from luxel.scene import DISTRIBUTIONS, Ellipsoids, Sphere, Spheres, scene_id
from luxel.scene.camera import rotation_matrix
from luxel.scene.distributions import CUBE, MIN_ROUGHNESS, Draws, Varied, ellipsoid, opaque, resting

# SHA-256 over the ids of scenes 0..63 of seed 5. A change here is another distribution under the same name.
GOLDEN = {
    "spheres": "754f69ae41058ea7a67716243e5ca83c49f84d684c12b8f2b5776106492b4185",
    "ellipsoids": "4e0e9c7d54e622a42ceee777170a18cf8f45a2b4521da9897a996e51f64c656f",
    "varied": "a89c57cfe1026b1ec083e306bf731fb49606b8e0e9ee45cb60f42f1821f39e15",
    "composed": "f68ca7785daa83d627c4a3f5fedf833d8bea834e28b39660848c7600df2e3ef0",
    "outdoor": "f16edcffd1a36217b6aacdb825db844757dc244e0468669ee96f8ce8ac24b367",
    "assorted": "d8c3944f04d2b739db45c4525b9014375c61b579e9057bbf0a5c16de4c9cc5d5",
    "mixed": "3f2dbf9498dae90d1e814f153174f88bccbfe0f89ee91d4c8ebaac39ad2bd0aa",
    "clevr": "4d83a8385ce49e13423bd68f207059734a6d6aedfad15d35d0d79064f3492cb1",
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_golden(name):
    distribution = DISTRIBUTIONS[name]()
    assert distribution.name == name
    ids = "".join(scene_id(distribution(5, index)) for index in range(64))
    assert hashlib.sha256(ids.encode()).hexdigest() == GOLDEN[name]


def test_random_access():
    spheres = Spheres()
    last_first = [spheres(3, index) for index in (2, 1, 0)]
    assert [Spheres()(3, index) for index in range(3)] == last_first[::-1]
    assert len({scene_id(spheres(seed, index)) for seed in range(7) for index in range(11)}) == 77


@pytest.mark.parametrize("kind", [Spheres, Ellipsoids])
def test_what_scenes_are_made_of(kind):
    scenes = [kind(max_objects=5)(0, index) for index in range(400)]
    counts = np.bincount([len(scene.objects) for scene in scenes], minlength=6)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 1e-4
    objects = [item for scene in scenes for item in scene.objects]
    materials = [item.material for item in objects]
    assert np.abs([item.center for item in objects]).max() <= CUBE
    assert min(material.roughness for material in materials) >= MIN_ROUGHNESS
    emissive = [material.is_emissive for material in materials]
    glass = [material.transmission > 0 for material in materials]
    assert stats.binomtest(sum(emissive), len(objects), 0.25).pvalue > 1e-4
    assert stats.binomtest(sum(glass), len(objects), 0.15).pvalue > 1e-4
    assert np.median([material.metallic for material in materials]) < 0.25
    assert {scene.background for scene in scenes} == {(0.2, 0.2, 0.2)}


def test_in_the_dark_there_is_always_a_light():
    for index in range(100):
        scene = Ellipsoids(max_objects=3, background="black")(1, index)
        assert scene.background == (0, 0, 0)
        assert scene.objects[0].material.is_emissive


def test_draws_follow_their_laws():
    draws = Draws(11, 0)
    uniform = [draws.uniform(-2.0, 3.0) for _ in range(3000)]
    assert stats.kstest(uniform, stats.uniform(-2, 5).cdf).pvalue > 1e-4
    assert stats.kstest([draws.normal() for _ in range(3000)], stats.norm.cdf).pvalue > 1e-4
    logs = np.log([draws.log_uniform(0.5, 8.0) for _ in range(3000)])
    assert stats.kstest(logs, stats.uniform(np.log(0.5), np.log(16)).cdf).pvalue > 1e-4
    assert stats.chisquare(np.bincount([draws.integer(0, 6) for _ in range(3000)])).pvalue > 1e-4
    assert all(value == round(value, 6) for value in uniform)


def test_rotations_are_uniform():
    """The angle of a uniform rotation has the density (1 − cos θ)/π; the axis' cosines are uniform."""
    rotations = np.array(
        [item.rotation for index in range(300) for item in Ellipsoids(max_objects=9)(2, index).objects]
    )
    angles = 2 * np.arccos(np.abs(rotations[:, 0]))
    assert stats.kstest(angles, lambda angle: (angle - np.sin(angle)) / np.pi).pvalue > 1e-4
    cosines = rotations[:, 3] / np.linalg.norm(rotations[:, 1:], axis=1)
    assert stats.kstest(cosines, stats.uniform(-1, 2).cdf).pvalue > 1e-4


def test_lights_are_the_share_that_is_asked_for():
    objects = {
        share: [item for index in range(150) for item in Spheres(lights=share)(0, index).objects]
        for share in (0.0, 0.25, 1.0)
    }
    shares = {share: np.mean([item.material.is_emissive for item in items]) for share, items in objects.items()}
    assert shares[0.0] == 0
    assert shares[1.0] == 1
    assert abs(shares[0.25] - 0.25) < 4 * (0.25 * 0.75 / len(objects[0.25])) ** 0.5


def test_a_white_background_is_bright():
    assert Spheres(background="white")(0, 0).background == (0.8, 0.8, 0.8)


@pytest.mark.parametrize(
    ("options", "message"), [({"max_objects": 0}, "max_objects is 0"), ({"lights": 1.5}, "lights is 1.5")]
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(InputError, match=message):
        Spheres(**options)


def test_varied_scenes_are_what_they_are_described_as():
    scenes = [Varied(max_objects=7)(2, index) for index in range(600)]
    counts = np.array([len(scene.objects) for scene in scenes])
    assert (counts.min(), counts.max()) == (1, 7)
    grounds = [scene.objects[0].semi_axes[0] >= 4 for scene in scenes]
    assert stats.binomtest(sum(grounds), len(scenes), 0.35).pvalue > 1e-4
    dark = [not any(scene.background) for scene in scenes]
    assert stats.binomtest(sum(dark), len(scenes), 0.2).pvalue > 1e-4
    for scene, is_dark in zip(scenes, dark, strict=True):
        assert not is_dark or any(item.material.is_emissive for item in scene.objects)
    materials = [item.material for scene in scenes for item in scene.objects]
    for share in (
        sum(material.is_emissive for material in materials),
        sum(material.metallic == 1 for material in materials),
        sum(material.transmission > 0 for material in materials),
    ):
        assert 0.05 * len(materials) < share < 0.3 * len(materials)
    for scene, is_ground in zip(scenes, grounds, strict=True):
        if is_ground:
            ground = scene.objects[0]
            height = np.linalg.norm(np.subtract(scene.camera.position, ground.center)) - ground.radius
            assert height > 0.09


def test_what_rests_touches_the_ground():
    draws = Draws(3, 0)
    ground = Sphere(center=(0.0, 0.0, -41.0), radius=40.0)
    for _ in range(20):
        item = resting(ellipsoid(draws, opaque(draws)), ground)
        directions = np.random.default_rng(0).normal(size=(20000, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        surface = item.center + directions * item.semi_axes @ rotation_matrix(item.rotation).T
        gap = np.linalg.norm(surface - ground.center, axis=1).min() - ground.radius
        assert abs(gap) < 0.02  # the ground is not quite flat, nor are all points tried


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [("max_objects", 1, r"an integer in \[2, "), ("lights", 1.5, "a number in"), ("ground", -0.1, "a number in")],
)
def test_varied_refuses_what_it_cannot_place(field, value, remedy):
    with pytest.raises(InputError, match=f"{field} is {value}, must be {remedy}"):
        Varied(**{field: value})
