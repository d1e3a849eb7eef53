"""Closed forms, against their limits, against quadrature, and under the symmetries of light."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from luxel.geometry.arrays import normalised
from luxel.geometry.intersect import NOTHING
from luxel.models import features
from luxel.models.surface import frame, material_at, meet, nested, seen, surfaces
from luxel.scene import FIELDS, Camera, Ellipsoid, Material, Scene, Sphere, Varied, encode
from luxel.scene.description import Object

AHEAD = Camera(position=(0, 0, 0), look_at=(0, 0, -1), up=(0, 1, 0))
LAMP = Material(base_color=(0, 0, 0), emission=(2, 3, 5))


class Read:
    """All that the network reads of the points that these rays meet."""

    def __init__(self, scene: Scene, *directions: tuple[float, float, float]) -> None:
        tokens = encode([scene])
        objects, mask = torch.from_numpy(tokens.objects), torch.from_numpy(tokens.mask)
        self.scenes = surfaces(objects, mask)
        along = normalised(torch.tensor(directions, dtype=torch.float32).T)
        lanes = torch.zeros(len(directions), dtype=torch.int64)
        points = meet(self.scenes, lanes, torch.zeros_like(along), along, torch.full_like(lanes, NOTHING))
        self.points = points.at(points.hit.nonzero()[:, 0])
        self.material = material_at(self.scenes, self.points)
        self.lamps = features.emitters(objects[..., FIELDS["emission"]], mask)
        self.seen = seen(self.scenes, self.points)
        self.ways = features.followed(self.points, None, None)
        self.near = features.approach(self.points, self.seen, self.ways)
        self.lit = features.lit(self.lamps, self.points, self.material, self.seen, self.near)

    @property
    def pairs(self) -> torch.Tensor:
        axes = frame(self.points)
        return features.pair_features(self.scenes, self.points, self.seen, self.near, axes, self.ways)

    @property
    def bounced(self) -> torch.Tensor:
        return features.bounced(self.scenes, self.points, self.seen, self.lit)

    @property
    def shut(self) -> list[bool]:
        inner = nested(self.scenes)
        return features.shut(self.scenes, inner, self.points, self.material, self.seen, self.lit).tolist()


def facing(*objects: Object) -> Scene:
    """A ball straight ahead whose near side, at (0, 0, −2), faces the camera, and these objects."""
    return Scene(objects=(Sphere(center=(0, 0, -3), radius=1.0), *objects), camera=AHEAD)


def test_a_lamp_in_full_view_lights_by_lamberts_formula():
    lamp = Sphere(center=(0.5, 1.0, 0.0), radius=0.3, material=LAMP)
    lit = Read(facing(lamp), (0, 0, -1)).lit
    square = 0.5**2 + 1 + 2**2
    assert lit.irradiance.item() == pytest.approx(0.3**2 / square * 2 / math.sqrt(square), rel=1e-4)
    assert lit.features[0, 0].item() == 1


def test_a_lamp_at_the_horizon_lights_as_quadrature_says():
    """Irradiance over π is the integral of the cosine over the lamp's directions above the horizon, over π."""
    random = np.random.default_rng(0)
    for height in (-2.05, -1.95, -1.8):  # of the lamp's centre; the horizon is at −2
        lamp = Sphere(center=(1.5, 0, height), radius=0.4, material=LAMP)
        found = Read(facing(lamp), (0, 0, -1)).lit.irradiance.item()
        direction = random.normal(size=(400_000, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        centre = np.array([1.5, 0, height + 2])
        along = direction @ centre
        hits = (along > 0) & (centre @ centre - along**2 < 0.4**2)
        expected = 4 * np.mean(np.where(hits, direction[:, 2].clip(0), 0))
        assert found == pytest.approx(expected, abs=0.01)


def test_a_lamp_is_covered_by_what_stands_between():
    lamp = Sphere(center=(0, 3.0, 1.0), radius=0.3, material=LAMP)

    def visible(*blockers: Object) -> float:
        return Read(facing(lamp, *blockers), (0, 0, -1)).lit.features[0, 0].item()

    assert visible(Sphere(center=(0, 1.5, -0.5), radius=0.5)) == 0
    assert visible(Sphere(center=(3, 1.5, -0.5), radius=0.5)) == 1
    assert visible(Sphere(center=(0, 6.0, 4.0), radius=0.5)) == 1  # it is behind the lamp
    assert visible(Sphere(center=(1.5, 1.5, -0.5), radius=1.5)) == pytest.approx(0.5, abs=0.02)  # half covered
    speck = visible(Sphere(center=(0, 1.5, -0.5), radius=0.03))
    assert speck == pytest.approx(1 - (0.03 / math.hypot(1.5, 1.5)) ** 2 / (0.3 / math.hypot(3, 3)) ** 2, abs=1e-3)


def test_a_lobe_is_full_in_a_mirror_and_empty_beside_the_lamp():
    one = torch.ones(1)

    def filled(past: float, roughness: float, size: float = 0.2, ahead: bool = True) -> float:
        values = (torch.tensor([value]) for value in (past, ahead, size, roughness))
        return features.lobe(*values, one).item()

    assert filled(0.0, 0.05) == pytest.approx(1, abs=0.02)
    assert filled(3.0, 0.05) < 1e-3
    assert filled(0.0, 0.05, ahead=False) < 1e-3
    assert filled(0.0, 0.5) > filled(2.0, 0.5) > filled(4.0, 0.5)
    assert filled(0.0, 1.0, size=0.05) == pytest.approx(0.05**2 / 4, rel=0.01)  # a wide lobe is 1/π everywhere


def test_opaque_objects_shut_light_out():
    shell = Sphere(center=(0, 0, 0), radius=9.0)
    inner, outer = (Sphere(center=(1, 1, z), radius=0.3, material=LAMP) for z in (0.0, 20.0))

    def closed(*objects: Object) -> list[bool]:
        return Read(facing(inner, outer, *objects), (0, 0, -1)).shut

    assert closed() == [False, False, False]
    assert closed(shell) == [False, True, True]  # the lamp inside, the lamp outside, the sky
    window = shell.model_copy(update={"material": Material(transmission=0.5)})
    assert closed(window) == [False, False, False]


def test_the_inner_side_of_an_opaque_object_is_black():
    around = Scene(objects=(Sphere(center=(0, 0, 0), radius=2.0),), camera=AHEAD)
    assert Read(around, (0, 0, -1)).shut == [True]


def test_lamps_shine_outwards_and_not_out_of_opaque_objects():
    around = Sphere(center=(0, 0, -3), radius=8.0, material=LAMP.model_copy(update={"transmission": 1.0}))
    assert Read(facing(around), (0, 0, -1)).shut == [True, False]
    lamp = Sphere(center=(0, 5, 0), radius=0.3, material=LAMP)
    shell = Sphere(center=(0, 5, 0), radius=1.0)
    assert Read(facing(lamp), (0, 0, -1)).shut == [False, False]
    assert Read(facing(lamp, shell), (0, 0, -1)).shut == [True, False]
    pierced = Sphere(center=(0, 5, 0), radius=0.2)
    assert Read(facing(lamp, pierced), (0, 0, -1)).shut == [False, False]
    rod = Ellipsoid(center=(0, 5, 0), semi_axes=(1.5, 0.1, 0.1), material=LAMP)  # it sticks out of the shell
    assert Read(facing(rod, shell), (0, 0, -1)).shut == [False, False]


def test_light_by_way_of_another_object():
    """A white ball at full moon, seen from the point, sends back 2/3 of the light that falls on it."""
    moon = Sphere(center=(0, 0, 8.0), radius=0.5, material=Material(base_color=(1.0, 0.5, 0.0), transmission=0.0))
    lamp = Sphere(center=(0.0, 0.05, -1.0), radius=0.04, material=LAMP)
    read = Read(facing(moon, lamp), (0.12, 0, -1))
    from_lamp, from_sky = read.bounced
    reach = read.seen.size[1, 0].square() * (read.seen.direction[:, 1, 0] @ read.points.normal[:, 0])
    torch.testing.assert_close(from_sky[:2], reach * torch.tensor([1.0, 0.5]), rtol=1e-4, atol=1e-7)
    received = (0.04 / 9.0) ** 2
    assert from_lamp[0].item() == pytest.approx(float(reach) * received * 2 / 3, rel=0.02)
    assert from_lamp[1].item() == pytest.approx(from_lamp[0].item() / 2, rel=1e-4)


@given(seed=st.integers(0, 50), scale=st.sampled_from([0.25, 3.0]))
@settings(max_examples=15, deadline=None)
def test_scale_and_view_of_a_scene_change_no_feature(seed, scale):
    scene = Varied(max_objects=5, ground=0.0)(7, seed)
    camera = scene.camera
    grown = Scene(
        objects=tuple(scaled(item, scale) for item in scene.objects),
        camera=camera.model_copy(
            update={
                "position": tuple(scale * value for value in camera.position),
                "look_at": tuple(scale * value for value in camera.look_at),
            }
        ),
    )
    directions = [(0.0, 0.0, -1.0), (0.1, 0.05, -1.0), (-0.07, 0.1, -1.0)]
    one, other = Read(scene, *directions), Read(grown, *directions)
    assert torch.equal(one.points.item, other.points.item)
    if len(one.points.item):
        torch.testing.assert_close(one.pairs, other.pairs, rtol=1e-3, atol=2e-3)
        torch.testing.assert_close(one.lit.features, other.lit.features, rtol=1e-3, atol=5e-3)


def scaled(item: Object, scale: float) -> Object:
    """The object in a scene that is `scale` times as large."""
    center = tuple(scale * value for value in item.center)
    if isinstance(item, Sphere):
        return item.model_copy(update={"center": center, "radius": scale * item.radius})
    return item.model_copy(update={"center": center, "semi_axes": tuple(scale * axis for axis in item.semi_axes)})


def test_a_sphere_has_no_orientation_and_an_egg_does_not_mind_the_order_of_its_axes():
    ball = Read(facing(Sphere(center=(1, 1, 0), radius=0.4)), (0, 0, -1))
    axes = frame(ball.points)
    for value in features.orientation(ball.seen.shapes, axes):
        torch.testing.assert_close(value, torch.zeros_like(value), rtol=0, atol=1e-5)
    half = math.sqrt(0.5)  # a quarter turn about z swaps the first two axes
    eggs = [
        Ellipsoid(center=(1, 1, 0), semi_axes=(0.4, 0.7, 0.2)),
        Ellipsoid(center=(1, 1, 0), semi_axes=(0.7, 0.4, 0.2), rotation=(half, 0, 0, half)),
    ]
    one, other = (Read(facing(egg), (0, 0, -1)).pairs for egg in eggs)
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_slots_hold_the_lamps_and_none_for_scenes_without():
    emission = torch.zeros(2, 5, 3)
    emission[0, 3], emission[0, 1] = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 0.0, 4.0])
    lamps = features.emitters(emission, torch.ones(2, 5, dtype=torch.bool))
    assert lamps.item[0].tolist() == [1, 3]
    assert lamps.real.tolist() == [[True, True], [False, False]]
    assert lamps.radiance[:, 0].T.tolist() == [[0, 0, 4], [1, 2, 3]]
    assert lamps.radiance[:, 1].sum() == 0
    assert features.emitters(torch.zeros(2, 5, 3), torch.ones(2, 5, dtype=torch.bool)).item.shape == (2, 0)
