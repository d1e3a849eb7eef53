"""Closed forms, against their limits, against quadrature, and under the symmetries of light."""

import math

import numpy as np
import pytest
import torch
import warp as wp
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import DEVICES, run, unit_vectors

from luxel.core.interactions import interact
from luxel.core.intersect import MISS
from luxel.core.rays import image_plane_rays
from luxel.core.scene_batch import SceneBatch
from luxel.models import features
from luxel.models.lighting import emitter_slots, lamp_lobe_share, lighting_of
from luxel.models.surface import first_surface
from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, Sphere, Varied
from luxel.scene.description import Object

AHEAD = Camera(position=(0, 0, 0), look_at=(0, 0, -1), up=(0, 1, 0))
LAMP = Material(base_color=(0, 0, 0), emission=(2, 3, 5))
HALF = math.sqrt(0.5)
TOWARDS, SIZE, HIGHEST, LOWEST = slice(0, 3), 3, 5, 6  # columns of pair features; size s as s / (1 + s)
ORIENTATION, IS_OWN = slice(8, 13), 17


class Read:
    """All that the network reads of the points that rays through these points of the image plane meet."""

    def __init__(self, scene: Scene, *image: tuple[float, float], device: str = "cpu") -> None:
        self.batch = features.with_extents(SceneBatch.of([scene], device))
        plane = torch.tensor(image, dtype=torch.float32, device=device)
        rays = image_plane_rays(self.batch, plane, torch.zeros(len(image), dtype=torch.int32, device=device))
        points = first_surface(self.batch, rays)
        self.points = points.at((points.object_id != MISS).nonzero()[:, 0])
        radius, table = features.ball_radii(self.batch), features.point_table(self.points, None, None)
        read = features.point_features(self.batch, radius, self.points, table, len(scene.objects))
        self.pairs = read.pairs
        slots = emitter_slots(self.batch)
        self.lighting = lighting_of(self.batch, radius, slots, self.points, table)

    @property
    def size(self) -> torch.Tensor:
        """Of each object, seen from the first point."""
        squeezed = self.pairs[:, 0, SIZE]
        return squeezed / (1 - squeezed)

    @property
    def blocked(self) -> list[bool]:
        return self.lighting.is_blocked.tolist()


def facing(*objects: Object) -> Scene:
    """A ball straight ahead whose near side, at (0, 0, −2), faces the camera, and these objects."""
    return Scene(objects=(Sphere(center=(0, 0, -3), radius=1.0), *objects), camera=AHEAD)


@pytest.mark.parametrize("device", DEVICES)
def test_a_lamp_in_full_view_lights_by_lamberts_formula(device):
    lamp = Sphere(center=(0.5, 1.0, 0.0), radius=0.3, material=LAMP)
    lighting = Read(facing(lamp), (0, 0), device=device).lighting
    square = 0.5**2 + 1 + 2**2
    irradiance, of_the_sky = lighting.irradiance.tolist()
    assert irradiance == pytest.approx(0.3**2 / square * 2 / math.sqrt(square), rel=1e-4)
    assert lighting.solid_angle.tolist() == pytest.approx([0.3**2 / square, 1], rel=1e-4)
    assert of_the_sky == 1
    assert lighting.features[0, 0].item() == 1


def test_a_lamp_at_the_horizon_lights_as_quadrature_says():
    """Irradiance over π is the integral of the cosine over the lamp's directions above the horizon, over π."""
    random = np.random.default_rng(0)
    for height in (-2.05, -1.95, -1.8):  # of the lamp's centre; the horizon is at −2
        lamp = Sphere(center=(1.5, 0, height), radius=0.4, material=LAMP)
        found = Read(facing(lamp), (0, 0)).lighting.irradiance[0].item()
        direction = random.normal(size=(400_000, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        centre = np.array([1.5, 0, height + 2])
        along = direction @ centre
        hits = (along > 0) & (centre @ centre - along**2 < 0.4**2)
        expected = 4 * np.mean(np.where(hits, direction[:, 2].clip(0), 0))
        assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("outline", ["rectangle", "ellipse"])
def test_a_panel_lights_forwards_by_its_solid_angle(outline):
    """From afar E / π = A cos θ cos θ' / (π d²); from behind nothing comes directly, but may come by way of others."""
    area = {"rectangle": 4.0, "ellipse": math.pi}[outline] * 0.2 * 0.3
    for slant in (0.0, 0.9):  # of the panel, whose front faces the point, straight above it
        turn = (math.sin(slant / 2), math.cos(slant / 2), 0.0, 0.0)
        lamp = Panel(center=(0, 0, 4), half_extents=(0.2, 0.3), rotation=turn, outline=outline, material=LAMP)
        found = Read(facing(lamp), (0, 0)).lighting
        assert found.irradiance[0].item() == pytest.approx(area * math.cos(slant) / (math.pi * 6**2), rel=0.01)
        behind = lamp.model_copy(update={"rotation": (math.cos(slant / 2), -math.sin(slant / 2), 0.0, 0.0)})
        found = Read(facing(behind), (0, 0)).lighting
        assert found.irradiance[0].item() == 0
        assert found.is_blocked.tolist() == [False, False]


def test_lamps_of_every_shape_are_as_large_as_the_ball_of_their_volume():
    ball = 4 / 3 * math.pi
    volumes = {
        Ellipsoid(center=(0, 0, 4), semi_axes=(0.2, 0.3, 0.1)): ball * 0.2 * 0.3 * 0.1,
        Box(center=(0, 0, 4), half_extents=(0.2, 0.3, 0.1)): 8 * 0.2 * 0.3 * 0.1,
        Cylinder(center=(0, 0, 4), radius=0.2, half_height=0.3): math.pi * 0.2**2 * 0.6,
    }
    for lamp, volume in volumes.items():
        expected = (volume / ball) ** (1 / 3) / 6
        assert Read(facing(lamp), (0, 0)).size[1].item() == pytest.approx(expected, rel=1e-4)


def test_a_lamp_is_covered_by_what_stands_between():
    lamp = Sphere(center=(0, 3.0, 1.0), radius=0.3, material=LAMP)

    def visible(*blockers: Object) -> float:
        return Read(facing(lamp, *blockers), (0, 0)).lighting.features[0, 0].item()

    assert visible(Sphere(center=(0, 1.5, -0.5), radius=0.5)) == 0
    assert visible(Sphere(center=(3, 1.5, -0.5), radius=0.5)) == 1
    assert visible(Sphere(center=(0, 6.0, 4.0), radius=0.5)) == 1  # it is behind the lamp
    assert visible(Sphere(center=(1.5, 1.5, -0.5), radius=1.5)) == pytest.approx(0.5, abs=0.02)  # half covered
    speck = visible(Sphere(center=(0, 1.5, -0.5), radius=0.03))
    assert speck == pytest.approx(1 - (0.03 / math.hypot(1.5, 1.5)) ** 2 / (0.3 / math.hypot(3, 3)) ** 2, abs=1e-3)
    assert visible(Box(center=(0, 1.5, -0.5), half_extents=(0.5, 0.5, 0.5))) == 0
    assert visible(Panel(center=(0, 1.5, -0.5), half_extents=(0.5, 0.5))) == 0
    assert visible(Panel(center=(0, 4.5, -0.5), half_extents=(0.5, 0.5))) == 1  # it lies beside the way
    assert visible(Panel(center=(0, 1.5, -0.5), half_extents=(0.5, 0.5), rotation=turned(3 * math.pi / 4))) == 0
    # Edge-on: its plane holds the way to the lamp.
    assert visible(Panel(center=(0, 1.5, -0.5), half_extents=(0.5, 0.5), rotation=turned(math.pi / 4))) > 0.99


def turned(angle: float) -> tuple[float, float, float, float]:
    """About x, by which z goes to −y first."""
    return math.cos(angle / 2), math.sin(angle / 2), 0.0, 0.0


@wp.kernel(enable_backward=False)
def lobe_shares(
    past: wp.array[wp.vec2], alpha: wp.array[float], size: wp.array[float], cosine: float, share: wp.array[float]
):
    i = wp.tid()
    share[i] = lamp_lobe_share(past[i], alpha[i], size[i], cosine)


def test_a_lobe_is_full_in_a_mirror_and_empty_beside_the_lamp():
    def filled(past: float, alpha: float, size: float = 0.2, ahead: bool = True) -> float:
        rows = (np.array([row], np.float32) for row in ((past, 1.0 if ahead else -1.0), alpha, size))
        return float(run(lobe_shares, *rows, 1.0)[0][0])

    assert filled(0.0, 0.05**2) == pytest.approx(1, abs=0.02)
    assert filled(3.0, 0.05**2) < 1e-3
    assert filled(0.0, 0.05**2, ahead=False) < 1e-3
    assert filled(0.0, 0.5**2) > filled(2.0, 0.5**2) > filled(4.0, 0.5**2)
    assert filled(0.0, 1.0, size=0.05) == pytest.approx(0.05**2 / 4, rel=0.01)  # a wide lobe is 1/π everywhere


SHELLS: dict[str, Object] = {
    "sphere": Sphere(center=(0, 0, 0), radius=9.0),
    "box": Box(center=(0, 0, 0), half_extents=(9.0, 9.0, 9.0)),
    "cylinder": Cylinder(center=(0, 0, 0), radius=9.0, half_height=9.0),
    "plane": Plane(center=(0, 0, 9.0)),
}


@pytest.mark.parametrize("shape", list(SHELLS))
def test_opaque_objects_block_light(shape):
    shell = SHELLS[shape]
    inner, outer = (Sphere(center=(1, 1, z), radius=0.3, material=LAMP) for z in (0.0, 20.0))

    def blocked(*objects: Object) -> list[bool]:
        return Read(facing(inner, outer, *objects), (0, 0)).blocked

    assert blocked() == [False, False, False]
    assert blocked(shell) == [False, True, True]  # the lamp inside, the lamp outside, the sky
    window = shell.model_copy(update={"material": Material(transmission=0.5)})
    assert blocked(window) == [False, False, False]


@pytest.mark.parametrize("shape", list(SHELLS))
def test_the_inner_side_of_an_opaque_object_is_black(shape):
    upwards = Camera(position=(0, 0, 0), look_at=(0, 0, 1), up=(0, 1, 0))
    assert Read(Scene(objects=(SHELLS[shape],), camera=upwards), (0, 0)).blocked == [True]


def test_no_side_of_a_panel_is_black():
    for turn in (turned(0.0), turned(math.pi)):
        panel = Panel(center=(0, 0, -3), half_extents=(1, 1), rotation=turn)
        assert Read(Scene(objects=(panel,), camera=AHEAD), (0, 0)).blocked == [False]


def test_lamps_shine_outwards_and_not_out_of_opaque_objects():
    around = Sphere(center=(0, 0, -3), radius=8.0, material=LAMP.model_copy(update={"transmission": 1.0}))
    assert Read(facing(around), (0, 0)).blocked == [True, False]
    lamp = Sphere(center=(0, 5, 0), radius=0.3, material=LAMP)
    shell = Sphere(center=(0, 5, 0), radius=1.0)
    assert Read(facing(lamp), (0, 0)).blocked == [False, False]
    assert Read(facing(lamp, shell), (0, 0)).blocked == [True, False]
    assert Read(facing(lamp, Box(center=(0, 5, 0), half_extents=(1, 1, 1))), (0, 0)).blocked == [True, False]
    assert Read(facing(lamp, Plane(center=(0, 4, 0), normal=(0, -1, 0))), (0, 0)).blocked == [True, False]
    pierced = Sphere(center=(0, 5, 0), radius=0.2)
    assert Read(facing(lamp, pierced), (0, 0)).blocked == [False, False]
    rod = Ellipsoid(center=(0, 5, 0), semi_axes=(1.5, 0.1, 0.1), material=LAMP)  # it sticks out of the shell
    assert Read(facing(rod, shell), (0, 0)).blocked == [False, False]


def test_light_by_way_of_another_object():
    """A white ball at full moon, seen from the point, sends back 2/3 of the light that falls on it."""
    moon = Sphere(center=(0, 0, 8.0), radius=0.5, material=Material(base_color=(1.0, 0.5, 0.0), transmission=0.0))
    lamp = Sphere(center=(0.0, 0.05, -1.0), radius=0.04, material=LAMP)
    read = Read(facing(moon, lamp), (0.12, 0))
    from_lamp, from_sky = read.lighting.one_bounce
    reach = read.size[1].square() * read.pairs[1, 0, TOWARDS][2]
    received = 0.04**2 / (9.0**2 + 0.05**2)
    torch.testing.assert_close(from_sky[:2], reach * torch.tensor([1.0, 0.5]), rtol=1e-4, atol=1e-7)
    assert from_lamp[0].item() == pytest.approx(float(reach) * received * 2 / 3, rel=0.02)
    assert from_lamp[1].item() == pytest.approx(from_lamp[0].item() / 2, rel=1e-4)


MIXTURE: tuple[Object, ...] = (
    Plane(center=(0.3, 0.2, -1.0), normal=(0.1, 0.05, 1.0)),
    Sphere(center=(-0.5, 0.1, 0.2), radius=0.5, material=LAMP),
    Ellipsoid(center=(0.6, 0.3, -0.2), semi_axes=(0.3, 0.5, 0.2), rotation=(0.6, 0.3, -0.5, 0.4)),
    Box(center=(0.1, -0.6, 0.4), half_extents=(0.3, 0.2, 0.4), rotation=(0.3, 0.6, -0.1, 0.4), material=LAMP),
    Cylinder(center=(0.2, 0.5, 0.9), radius=0.2, half_height=0.5, rotation=(0.1, 0.6, 0.5, -0.4)),
    Panel(center=(-0.3, -0.5, -0.6), half_extents=(0.4, 0.3), rotation=(0.6, 0.3, 0.5, -0.4), material=LAMP),
    Panel(center=(-0.8, 0.6, 0.7), half_extents=(0.2, 0.5), rotation=(0.2, 0.8, 0.1, 0.3), outline="ellipse"),
)
VIEW = Camera(position=(0.4, -3.0, 1.3), look_at=(0, 0, 0))
IMAGE = [(0.05 + 0.11 * x, 0.02 + 0.13 * y) for x in range(-2, 3) for y in range(-2, 3)]


@given(
    seed=st.integers(0, 50),
    scale=st.sampled_from([0.25, 3.0]),
    turn=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: math.hypot(*q) > 0.1),
)
@settings(max_examples=30)
def test_a_scene_that_is_moved_turned_and_scaled_has_the_same_features(seed, scale, turn):
    scene = Varied(max_objects=5, ground=0.0)(7, seed)
    for one in (scene, Scene(objects=MIXTURE, camera=VIEW)):
        here, there = Read(one, *IMAGE), Read(moved(one, scale, turn, (1.0, -2.0, 0.5)), *IMAGE)
        if len(here.points.scene) != len(there.points.scene):
            continue  # rounding decides at outlines, which the mixture's rays keep away from
        assert one is scene or len(here.points.object_id.unique()) > 4
        assert here.points.object_id.tolist() == there.points.object_id.tolist()
        torch.testing.assert_close(here.pairs, there.pairs, rtol=1e-3, atol=5e-3)
        torch.testing.assert_close(here.lighting.features, there.lighting.features, rtol=1e-3, atol=5e-3)
        torch.testing.assert_close(here.lighting.one_bounce, there.lighting.one_bounce, rtol=1e-3, atol=5e-3)
        assert here.blocked == there.blocked


def moved(scene: Scene, scale: float, turn: tuple[float, ...], shift: tuple[float, ...]) -> Scene:
    """All objects, and the camera, turned by a quaternion, then scaled about the origin, then shifted."""
    rotation = np.array(turn) / math.hypot(*turn)

    def place(vector: tuple[float, ...], by: tuple[float, ...] = shift, factor: float = scale) -> tuple[float, ...]:
        w, u = rotation[0], rotation[1:]
        v = np.array(vector)
        return tuple((factor * (v + 2 * np.cross(u, np.cross(u, v) + w * v)) + by).tolist())

    def product(q: tuple[float, ...]) -> tuple[float, ...]:
        w, u, v = rotation[0], rotation[1:], np.array(q[1:])
        return (w * q[0] - u @ v, *(w * v + q[0] * u + np.cross(u, v)).tolist())

    objects = []
    for item in scene.objects:
        change: dict[str, object] = {"center": place(item.center)}
        for name in ("radius", "half_height"):
            if hasattr(item, name):
                change[name] = scale * getattr(item, name)
        for name in ("semi_axes", "half_extents"):
            if name in type(item).model_fields:
                change[name] = tuple(scale * axis for axis in getattr(item, name))
        if isinstance(item, Plane):
            change["normal"] = place(item.normal, (0, 0, 0), 1.0)
        elif "rotation" in type(item).model_fields:
            change["rotation"] = product(item.rotation)
        objects.append(item.model_copy(update=change))
    camera = scene.camera.model_copy(
        update={
            "position": place(scene.camera.position),
            "look_at": place(scene.camera.look_at),
            "up": place(scene.camera.up, (0, 0, 0), 1.0),
        }
    )
    return Scene(objects=tuple(objects), camera=camera, background=scene.background)


@wp.kernel(enable_backward=False)
def frames(direction: wp.array[wp.vec3], normal: wp.array[wp.vec3], camera: wp.mat33, found: wp.array[wp.mat33]):
    i = wp.tid()
    found[i] = features.viewer_frame(direction[i], normal[i], camera)


@pytest.mark.parametrize("device", DEVICES)
def test_frames_are_orthonormal_and_look_towards_the_viewer(device):
    normal = unit_vectors(1000, 0)
    direction = unit_vectors(1000, 1)
    direction *= -np.sign((direction * normal).sum(1, keepdims=True))
    direction[::2] = -normal[::2]  # head-on
    turn = wp.mat33(*np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0].ravel().tolist())
    (found,) = run(frames, direction, normal, turn, device=device)
    np.testing.assert_allclose(found @ found.swapaxes(1, 2), np.broadcast_to(np.eye(3), (1000, 3, 3)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(found), np.ones(1000), atol=1e-5)
    np.testing.assert_allclose(found[:, 2], normal, atol=1e-6)
    viewer = np.einsum("nij,nj->ni", found, -direction)
    np.testing.assert_allclose(viewer[:, 1], np.zeros(1000), atol=1e-5)
    assert (viewer[1::2, 0] > 0).all()


def test_sizes_and_extents_by_hand():
    scene = Scene(objects=(Sphere(center=(0, 0, -2), radius=0.5), Sphere(center=(0, 3, -5), radius=1.0)), camera=AHEAD)
    read = Read(scene, (0, 0))
    distance = math.hypot(3, 3.5)  # from (0, 0, −1.5), where the normal is z
    assert read.size[1].item() == pytest.approx(1 / distance, rel=1e-5)
    pair = read.pairs[1, 0]
    assert pair[TOWARDS][2].item() == pytest.approx(-3.5 / distance, rel=1e-5)
    assert pair[HIGHEST].item() == pytest.approx((1 - 3.5) / distance, rel=1e-5)
    assert pair[LOWEST].item() == pytest.approx((-1 - 3.5) / distance, rel=1e-5)
    assert read.pairs[:, 0, IS_OWN].tolist() == [1, 0]


def test_a_plane_is_a_large_ball_that_touches_it_below_the_point():
    camera = Camera(position=(0, 0, 2), look_at=(3, 0, 1.9))
    lamp = Sphere(center=(4, 1, 1.5), radius=0.2, material=LAMP)
    read = Read(Scene(objects=(Plane(center=(7, 8, 0)), lamp), camera=camera), (0.0, -0.4), (0.2, -0.1))
    for pairs in read.pairs[0]:
        torch.testing.assert_close(pairs[TOWARDS], torch.tensor([0.0, 0.0, -1.0]), rtol=0, atol=1e-5)
        assert pairs[SIZE].item() == pytest.approx(0.5, rel=1e-4)  # s / (1 + s), and s is 1
        assert pairs[HIGHEST].item() == pytest.approx(0, abs=1e-4)
    assert read.batch.scale[0].tolist() == [2 * features.PLANE_RADIUS] * 3
    assert read.lighting.features[:, 0].tolist() == [1, 1]  # the ground hides no lamp that stands above it


def test_extents_change_nothing_that_rays_meet():
    batch = SceneBatch.of([Scene(objects=MIXTURE, camera=VIEW)])
    same = SceneBatch.of([Varied()(1, 0)])
    assert features.with_extents(same) is same
    extended = features.with_extents(batch)
    assert (extended.scale[:, 2] != batch.scale[:, 2]).tolist() == [True, *[False] * 4, True, True]
    assert extended.scale[5:, 2].tolist() == pytest.approx([3e-4, 2e-4])
    rays = image_plane_rays(batch, torch.tensor(IMAGE), torch.zeros(len(IMAGE), dtype=torch.int32))
    one, other = interact(batch, rays), interact(extended, rays)
    assert len(one.object_id.unique()) > 4
    assert torch.equal(one.object_id, other.object_id)
    torch.testing.assert_close(one.point, other.point, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(one.normal, other.normal, rtol=1e-5, atol=1e-5)


def test_a_camera_in_the_plane_leaves_its_ball_a_size():
    scene = Scene(objects=(Plane(center=(1, 1, 0)),), camera=Camera(position=(0, 0, 0), look_at=(1, 0, 0)))
    radius = features.PLANE_RADIUS * 1e-3 * math.sqrt(2)
    assert features.with_extents(SceneBatch.of([scene])).scale[0].tolist() == pytest.approx([radius] * 3, rel=1e-5)


def test_a_sphere_has_no_orientation_and_an_egg_does_not_mind_the_order_of_its_axes():
    ball = Read(facing(Sphere(center=(1, 1, 0), radius=0.4)), (0, 0)).pairs[..., ORIENTATION]
    torch.testing.assert_close(ball, torch.zeros_like(ball), rtol=0, atol=1e-5)
    eggs = [  # a quarter turn about z swaps the first two axes
        Ellipsoid(center=(1, 1, 0), semi_axes=(0.4, 0.7, 0.2)),
        Ellipsoid(center=(1, 1, 0), semi_axes=(0.7, 0.4, 0.2), rotation=(HALF, 0, 0, HALF)),
    ]
    one, other = (Read(facing(egg), (0, 0)).pairs for egg in eggs)
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
    assert one[1, 0, ORIENTATION].abs().max() > 0.5


def test_slots_hold_the_lamps_and_none_for_scenes_without():
    def scene(*emissions: tuple[float, float, float]) -> Scene:
        balls = (Sphere(center=(0, 0, -3), radius=1.0, material=Material(emission=emission)) for emission in emissions)
        return Scene(objects=tuple(balls), camera=AHEAD)

    black = (0, 0, 0)
    dark, lit = scene(black, black), scene(black, (0, 0, 4), black, (1, 2, 3), black)
    slots = emitter_slots(SceneBatch.of([dark, lit, scene((5, 0, 0))]))
    assert slots.tolist() == [[MISS, MISS], [3, 5], [7, MISS]]
    assert emitter_slots(SceneBatch.of([dark])).shape == (1, 0)


def test_a_scene_without_objects_for_all_its_columns_is_padded_with_zeros():
    """Points of a scene of one object among columns for three: none of the others is there."""
    batch = SceneBatch.of([facing(), facing(*MIXTURE[1:3])])
    plane, scene = torch.zeros(2, 2), torch.arange(2, dtype=torch.int32)
    points = first_surface(batch, image_plane_rays(batch, plane, scene))
    table = features.point_table(points, None, None)
    read = features.point_features(batch, features.ball_radii(batch), points, table, 3)
    assert read.is_real.T.tolist() == [[True, False, False], [True, True, True]]
    assert not read.pairs[1:, 0].any()
