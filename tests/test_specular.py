"""Chains through mirrors and glass, against the laws of optics."""

import math

import numpy as np
import pytest
import torch
from kernels import DEVICES

from luxel.core.intersect import MISS
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.models import specular
from luxel.models.chains import LOBES, REFLECTED, TRANSMITTED
from luxel.models.shading_points import OBJECT, WORDS, points_of_rays
from luxel.models.specular import SUBPIXELS, Chains, no_chains, specular_chains
from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, Sphere
from luxel.scene.description import Object

AHEAD = Camera(position=(0, 0, 0), look_at=(0, 0, -1), up=(0, 1, 0))
TINT = (0.81, 0.64, 1.0)
GLASS = Material(transmission=1.0, specular=0.5, roughness=0.0, base_color=TINT)
ETA = 1.5  # of a specular of 0.5: ((1.5 − 1) / (1.5 + 1))² = 0.04
WHITE_GLASS = GLASS.model_copy(update={"base_color": (1.0, 1.0, 1.0)})
MIRROR = Material(metallic=1.0, roughness=0.0, base_color=(0.9, 0.6, 0.3))
CHALK = Material(base_color=(0.5, 0.5, 0.5), specular=0.0, roughness=1.0)
SKY = (0.3, 0.5, 0.7)
GLOW = (2.0, 3.0, 5.0)
LAMP = Material(base_color=(0, 0, 0), emission=GLOW, roughness=1.0, specular=0.0)
POINT = slice(3, 6)  # the words of a ShadingPoint
DIRECTION = slice(6, 9)
NORMAL = slice(9, 12)


def shoot(
    objects: tuple[Object, ...],
    *directions: tuple[float, float, float],
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    device: str = "cpu",
    background: tuple[float, float, float] = (0.0, 0.0, 0.0),
    height: int | None = None,
) -> Chains:
    """Of rays from the origin; on the CPU."""
    batch = SceneBatch.of([Scene(objects=objects, camera=AHEAD, background=background)], device)
    along = torch.tensor(directions, dtype=torch.float32, device=device)
    start = torch.tensor(origin, dtype=torch.float32, device=device).expand_as(along)
    table = points_of_rays(batch, Rays(start, along, torch.zeros_like(along[:, 0]).int()))
    chains = specular_chains(batch, table, height)
    return Chains(*(each.cpu() for each in chains))


def vectors(chains: Chains, words: slice) -> torch.Tensor:
    return chains.ends[:, words].contiguous().view(torch.float32)


def places(chains: Chains) -> list[tuple[int, int]]:
    """Point and lobe of each end."""
    return [divmod(number, LOBES) for number in chains.lobe_of_point.tolist()]


def schlick(cosine: float, color: tuple[float, ...] = MIRROR.base_color) -> np.ndarray:
    """Of a metal."""
    base = np.array(color)
    return base + (1 - base) * (1 - cosine) ** 5


def fresnel(cos_i: float, eta: float = ETA) -> float:
    """Reflectance of unpolarised light, through angles."""
    if cos_i > 1 - 1e-9:
        return ((eta - 1) / (eta + 1)) ** 2
    i = math.acos(cos_i)
    t = math.asin(math.sin(i) / eta)
    return ((math.sin(i - t) / math.sin(i + t)) ** 2 + (math.tan(i - t) / math.tan(i + t)) ** 2) / 2


@pytest.mark.parametrize("device", DEVICES)
def test_a_mirror_shows_what_is_behind_it_in_the_mirrored_world(device):
    """From a place on the chalk ball above and beside: where the image of the eye sees it."""
    mirror = Plane(center=(0, 0, -4), normal=(0, 0, 1), material=MIRROR)
    chalk = Sphere(center=(3.0, 0, 1.0), radius=1.5, material=CHALK)
    along = np.array([math.sin(0.4), 0.05, -math.cos(0.4)])
    along /= np.linalg.norm(along)
    chains = shoot((mirror, chalk), tuple(along), device=device)
    eye, through = np.array([0, 0, -8.0]), along * [1, 1, -1]
    vector = np.array(chalk.center) - eye
    middle = vector @ through
    t = middle - math.sqrt(middle**2 - vector @ vector + chalk.radius**2)
    point = eye + t * through
    assert places(chains) == [(0, REFLECTED)]
    assert chains.ends[:, OBJECT].tolist() == [1]
    np.testing.assert_allclose(vectors(chains, POINT)[0], point, atol=1e-5)
    np.testing.assert_allclose(vectors(chains, DIRECTION)[0], through, atol=1e-6)
    np.testing.assert_allclose(vectors(chains, NORMAL)[0], (point - chalk.center) / chalk.radius, atol=1e-5)
    np.testing.assert_allclose(chains.throughput[0], schlick(-along[2]), rtol=1e-5)
    assert not chains.radiance.any()


@pytest.mark.parametrize("device", DEVICES)
def test_what_shines_in_a_mirror_is_in_the_radiance_and_scatters_at_the_end(device):
    mirror = Plane(center=(0, 0, -4), normal=(0, 0, 1), material=MIRROR)
    lamp = Sphere(center=(0, 0, 3), radius=1.0, material=LAMP)
    chains = shoot((mirror, lamp), (0, 0, -1), (0.9, 0, -1), origin=(0, 0, 1), device=device, background=SKY)
    np.testing.assert_allclose(chains.radiance[0, REFLECTED], schlick(1.0) * GLOW, rtol=1e-5)
    np.testing.assert_allclose(chains.radiance[1, REFLECTED], schlick(1 / math.hypot(0.9, 1)) * SKY, rtol=1e-5)
    assert (places(chains), chains.ends[:, OBJECT].tolist()) == ([(0, REFLECTED)], [1])


CLEAR: dict[str, Object] = {
    "ball": Sphere(center=(0, 0, -5), radius=1.0, material=WHITE_GLASS),
    "egg": Ellipsoid(center=(0, 0, -5), semi_axes=(1.2, 0.7, 0.9), rotation=(0.9, 0.3, 0.1, 0.2), material=WHITE_GLASS),
    "slab": Box(center=(0, 0, -5), half_extents=(9, 9, 0.3), material=WHITE_GLASS),
    "mirror": Sphere(
        center=(0, 0, -5),
        radius=1.0,
        material=Material(metallic=1.0, roughness=0.0, base_color=(1, 1, 1)),
    ),
}


@pytest.mark.parametrize("name", list(CLEAR))
def test_what_takes_no_light_shows_the_furnace_that_it_is_in(name):
    """All that is reflected and all that is refracted is as bright as the sky, which η² in and out does not change."""
    directions = [(x, y, -5.0) for x in (-0.5, 0.0, 0.31) for y in (-0.4, 0.03)]
    chains = shoot((CLEAR[name],), *directions, background=SKY)
    assert len(chains.ends) == 0
    np.testing.assert_allclose(chains.radiance.sum(1), np.tile(SKY, (6, 1)), rtol=1e-5)


def test_a_coloured_ball_takes_the_root_of_its_colour_at_each_surface():
    """Light that is reflected within is followed to where it leaves, and no further than four interfaces."""
    chains = shoot((Sphere(center=(0, 0, -5), radius=1.0, material=GLASS),), (0, 0, -1), background=SKY)
    root = np.sqrt(TINT)
    np.testing.assert_allclose(chains.radiance[0, REFLECTED], 0.04 * np.array(SKY), rtol=1e-4)
    leaves = 0.96 * root
    inside = leaves + 0.04 * (leaves + 0.04)  # of what is reflected twice, all is taken to leave
    np.testing.assert_allclose(chains.radiance[0, TRANSMITTED], leaves * inside * SKY, rtol=2e-3)


@pytest.mark.parametrize("angle", [0.0, 0.3, 0.9])
def test_a_pane_shifts_what_is_seen_through_it(angle):
    """A ray leaves a slab of parallel faces in the direction in which it came, d tan θ' aside."""
    slab = Box(center=(0, 0, -3), half_extents=(50.0, 50.0, 0.5), material=WHITE_GLASS)
    wall = Plane(center=(0, 0, -9), normal=(0, 0, 1), material=CHALK)
    chains = shoot((slab, wall), (math.sin(angle), 0.0, -math.cos(angle)))
    inside = math.asin(math.sin(angle) / ETA)
    aside = (2.5 + 5.5) * math.tan(angle) + 1.0 * math.tan(inside)
    assert places(chains) == [(0, TRANSMITTED)]
    np.testing.assert_allclose(vectors(chains, POINT)[0], [aside, 0, -9], atol=1e-4)
    np.testing.assert_allclose(vectors(chains, DIRECTION)[0], [math.sin(angle), 0, -math.cos(angle)], atol=1e-6)
    np.testing.assert_allclose(chains.throughput[0], (1 - fresnel(math.cos(angle))) ** 2, rtol=1e-4)


def test_into_glass_a_ray_obeys_snell_and_radiance_is_divided_by_eta_squared():
    water = Plane(center=(0, 0, -2), normal=(0, 0, 1), material=GLASS)
    stone = Sphere(center=(2.5, 0, -6), radius=1.5, material=CHALK)
    chains = shoot((water, stone), (math.sin(0.7), 0.0, -math.cos(0.7)))
    into = math.asin(math.sin(0.7) / ETA)
    assert chains.ends[:, OBJECT].tolist() == [1]
    np.testing.assert_allclose(vectors(chains, DIRECTION)[0], [math.sin(into), 0, -math.cos(into)], atol=1e-6)
    through = (1 - fresnel(math.cos(0.7))) * np.sqrt(TINT) / ETA**2
    np.testing.assert_allclose(chains.throughput[0], through, rtol=1e-4)


def test_from_under_water_radiance_is_eta_squared_as_high_and_beyond_the_critical_angle_all_is_mirrored():
    water = Plane(center=(0, 0, 2), normal=(0, 0, 1), material=GLASS)
    chains = shoot((water,), (0, 0.1, 1), (0, 1.5, 1), background=SKY)
    cosine = math.cos(math.asin(ETA * 0.1 / math.hypot(0.1, 1)))
    out = (1 - fresnel(cosine)) * np.sqrt(TINT) * ETA**2
    np.testing.assert_allclose(chains.radiance[0, TRANSMITTED], out * SKY, rtol=1e-4)
    assert not chains.radiance[1, TRANSMITTED].any()
    np.testing.assert_allclose(chains.radiance[1, REFLECTED], SKY, rtol=1e-6)  # the deep is as bright as the sky


def test_what_is_in_glass_is_seen_before_its_far_side():
    kernel = Sphere(center=(0, 0, -5), radius=0.4, material=CHALK)
    chains = shoot((Sphere(center=(0, 0, -5), radius=1.0, material=GLASS), kernel), (0, 0, -1))
    assert chains.ends[:, OBJECT].tolist() == [1]
    np.testing.assert_allclose(vectors(chains, POINT)[0], [0, 0, -4.6], atol=1e-6)
    np.testing.assert_allclose(chains.throughput[0], 0.96 * np.sqrt(TINT) / ETA**2, rtol=1e-4)


def facing(z: float, turned: bool) -> Panel:
    rotation = (0.0, 1.0, 0.0, 0.0) if turned else (1.0, 0.0, 0.0, 0.0)
    return Panel(center=(0, 0, z), half_extents=(5, 5), rotation=rotation, material=MIRROR)


def test_mirrors_that_face_each_other_end_by_the_limit():
    chains = shoot((facing(-2, False), facing(2, True)), (0.1, 0.0, -1.0), background=SKY)
    assert len(chains.ends) == 0
    assert not chains.radiance.any()


def test_two_mirrors_are_followed_and_out_beside_them():
    """Down, up, down again and out: the sky times what the lower mirror, the upper and the lower again leave."""
    upper = facing(2, True).model_copy(update={"half_extents": (3.5, 5.0)})
    lower = facing(-2, False).model_copy(update={"half_extents": (6.0, 5.0)})
    along = (0.5, 0.0, -1.0)  # meets the lower at x = 1, the upper at 3, the lower at 5, and passes the upper at 7
    chains = shoot((lower, upper), along, background=SKY)
    np.testing.assert_allclose(chains.radiance[0, REFLECTED], schlick(1 / math.hypot(0.5, 1)) ** 3 * SKY, rtol=1e-4)


@pytest.mark.parametrize(
    "shell",
    [
        Sphere(center=(0, 0, 0), radius=2.0, material=MIRROR),
        Box(center=(0, 0, 0), half_extents=(1, 1, 2), material=MIRROR),
        Cylinder(center=(0, 0, 0), radius=1.0, half_height=2.0, material=CHALK),
        Plane(center=(0, 0, -2), normal=(0, 0, -1), material=MIRROR),
    ],
    ids=lambda item: item.shape,
)
def test_what_is_opaque_is_black_from_inside(shell):
    chains = shoot((shell,), (0, 0, -1), background=SKY)
    assert not chains.radiance.any()
    assert len(chains.ends) == 0


def test_a_mirror_does_not_show_the_inside_of_what_is_opaque():
    """It is in a ball of metal."""
    shell = Sphere(center=(0, 0, 0), radius=9.0, material=MIRROR)
    chains = shoot((Plane(center=(0, 0, -2), normal=(0, 0, 1), material=MIRROR), shell), (0.2, 0, -1), background=SKY)
    assert not chains.radiance.any()
    assert len(chains.ends) == 0


@pytest.mark.parametrize("material", [CHALK, Material(metallic=1.0, roughness=0.3), Material(roughness=0.15)])
def test_what_is_not_smooth_is_not_followed(material):
    """α = roughness² of 0.02 and more."""
    chains = shoot((Sphere(center=(0, 0, -5), radius=1.0, material=material),), (0, 0, -1), background=SKY)
    assert not chains.radiance.any()
    assert len(chains.ends) == 0


def test_nothing_in_view_has_no_chains_and_neither_have_no_points():
    chains = shoot((Sphere(center=(0, 0, -5), radius=1.0, material=MIRROR),), (0, 0, 1), background=SKY)
    assert not chains.radiance.any()
    batch = SceneBatch.of([Scene(objects=(facing(-2, False),), camera=AHEAD)])
    none = torch.zeros(0, WORDS, dtype=torch.int32)
    assert specular_chains(batch, none, None).ends.shape == (0, WORDS)


def block(turn: float, floor: Object) -> tuple[Object, ...]:
    """A block of glass whose lower side lies in the floor's plane, turned about the vertical."""
    rotation = (math.cos(turn), 0.0, 0.0, math.sin(turn))
    glass = Box(center=(0.3, -0.2, -4.33), half_extents=(1.1, 0.9, 0.37), rotation=rotation, material=WHITE_GLASS)
    return floor, glass


FLOORS: dict[str, Object] = {
    "plane": Plane(center=(0, 0, -4.7), normal=(0, 0, 1), material=CHALK),
    "box": Box(center=(0, 0, -5.2), half_extents=(7, 7, 0.5), material=CHALK),
}


def test_points_come_in_parts_where_there_are_many(monkeypatch):
    batch = SceneBatch.of([Scene(objects=(CLEAR["ball"], *block(0.3, FLOORS["plane"])), camera=AHEAD, background=SKY)])
    directions = torch.rand(23, 3, generator=torch.Generator().manual_seed(1)) * 0.6 - torch.tensor([0.3, 0.3, 1.3])
    table = points_of_rays(batch, Rays(torch.zeros(23, 3), directions, torch.zeros(23).int()))
    for height in (None, 20):
        whole = specular_chains(batch, table, height)
        with monkeypatch.context() as patch:
            patch.setattr(specular, "POINTS_AT_ONCE", {"cpu": 7})
            parts = specular_chains(batch, table, height)
        assert len(whole.ends) > 5
        for one, other in zip(whole, parts, strict=True):
            assert torch.equal(one, other)


def test_no_chains_are_as_if_no_surface_were_smooth():
    batch = SceneBatch.of([Scene(objects=(facing(-2, False),), camera=AHEAD)])
    rays = Rays(torch.zeros(1, 3), torch.tensor([[0.0, 0.0, -1.0]]), torch.zeros(1, dtype=torch.int32))
    table = points_of_rays(batch, rays)
    assert table[:, OBJECT].tolist() == [0]
    chains = no_chains(table)
    assert not chains.radiance.any()
    assert [len(chains.slot), len(chains.throughput), len(chains.ends)] == [0, 0, 0]


def test_scenes_do_not_disturb_each_other():
    mirror = Scene(objects=(facing(-2, False), Sphere(center=(0.5, 0, 3), radius=0.5, material=CHALK)), camera=AHEAD)
    chalk = Sphere(center=(0, 0, -9), radius=2.0, material=CHALK)
    glass = Scene(objects=(CLEAR["ball"], chalk), camera=AHEAD, background=SKY)
    directions = torch.tensor([[0.1, 0.05, -1.0], [-0.1, 0.1, -1.0], [0.05, -0.1, -1.0]])
    together = SceneBatch.of([mirror, glass])
    rays = Rays(torch.zeros(6, 3), directions.repeat(2, 1), torch.tensor([0, 0, 0, 1, 1, 1], dtype=torch.int32))
    both = specular_chains(together, points_of_rays(together, rays), None)
    assert MISS not in both.ends[:, OBJECT]
    for number, scene in enumerate((mirror, glass)):
        alone = shoot(scene.objects, *map(tuple, directions.tolist()), background=scene.background)
        assert torch.equal(alone.radiance, both.radiance[3 * number : 3 * number + 3])
        mine = (both.lobe_of_point // (3 * LOBES)) == number
        assert mine.any()
        assert torch.equal(alone.lobe_of_point, both.lobe_of_point[mine] - 3 * LOBES * number)
        assert torch.equal(alone.throughput, both.throughput[mine])
        assert torch.equal(alone.ends[:, POINT], both.ends[mine][:, POINT])


def test_a_lamp_is_mirrored_by_glass_behind_glass():
    """Straight through a pane, back from a ball and through the pane again, to a lamp behind the eye."""
    pane = Box(center=(0, 0, -2), half_extents=(9, 9, 0.1), material=WHITE_GLASS)
    ball = Sphere(center=(0, 0, -5), radius=1.0, material=WHITE_GLASS)
    lamp = Sphere(center=(0, 0, 9), radius=0.05, material=LAMP)
    chains = shoot((pane, ball, lamp), (0, 0, -1))
    np.testing.assert_allclose(chains.radiance[0, REFLECTED], 0.04 * np.array(GLOW), rtol=1e-4)
    # The front of the ball, and before that the far side of the pane, whose 0.04 leave it through its near side.
    through = 0.96**2 * 0.04 + 0.96 * 0.04
    np.testing.assert_allclose(chains.radiance[0, TRANSMITTED], through * np.array(GLOW), rtol=1e-4)


def test_a_lamp_is_seen_in_the_faintest_reflection_and_a_surface_is_not():
    glaze = Material(base_color=(0, 0, 0), roughness=0.0, specular=0.03)  # whose reflectance is 8 % of that
    ball = Sphere(center=(0, 0, -3), radius=1.0, material=glaze)
    for material in (LAMP, CHALK):
        chains = shoot((ball, Sphere(center=(0, 0, 9), radius=1.0, material=material)), (0, 0, -1))
        np.testing.assert_allclose(chains.radiance[0, REFLECTED], 0.0024 * np.array(material.emission), rtol=1e-3)
        assert len(chains.ends) == 0


def test_glowing_glass_is_seen_once_whatever_the_ways():
    """In a pane before it: the pane's two sides pass 0.96 of the glow each, and mirror nothing."""
    glowing = WHITE_GLASS.model_copy(update={"emission": GLOW})
    pane = Box(center=(0, 0, -2), half_extents=(9, 9, 0.1), material=WHITE_GLASS)
    chains = shoot((pane, Sphere(center=(0, 0, -5), radius=1.0, material=glowing)), (0, 0, -1))
    np.testing.assert_allclose(chains.radiance[0, TRANSMITTED], 0.96**2 * np.array(GLOW), rtol=1e-4)


@pytest.mark.parametrize("height", [None, 20])
@pytest.mark.parametrize("name", list(FLOORS))
def test_a_floor_is_seen_through_the_whole_of_a_block_that_stands_on_it(name, height):
    """From above: wherever rounding puts the faces that touch, no ray gets below the floor."""
    directions = [(0.03 * x, 0.03 * y, -4.0) for x in range(-9, 10) for y in range(-9, 10)]
    for turn in (0.1, 0.7):
        chains = shoot(block(turn, FLOORS[name]), *directions, background=SKY, height=height)
        shown = torch.zeros(len(directions), 3).index_add(
            0, chains.lobe_of_point // LOBES, chains.throughput * (chains.ends[:, OBJECT, None] == 0)
        )
        assert shown.min() > 0.9  # a gap of air lets through what the glass does
        assert shown.max() < 0.94
        assert chains.radiance[:, TRANSMITTED].amax() < 0.12 * max(SKY)  # by reflection alone


@pytest.mark.parametrize("name", list(FLOORS))
def test_a_block_on_a_floor_mirrors_within_as_if_it_stood_above_it(name):
    """Through its side: at the lower face reflection is total, and the far side shows the sky."""
    glass = Box(center=(0.0, 0.0, -4.33), half_extents=(1.0, 1.0, 0.37), material=WHITE_GLASS)
    directions = [(1.0, 0.01 * k, -0.2) for k in range(-20, 20)]
    chains = shoot((FLOORS[name], glass), *directions, origin=(-4.0, 0.0, -3.85), background=SKY)
    assert (chains.radiance[:, TRANSMITTED] > 0.8 * torch.tensor(SKY)).all()


HEIGHT = 20  # of a picture, in pixels
PIXEL = 2 * math.tan(math.radians(20)) / HEIGHT  # its side at distance 1; 40° is the camera's field of view


def test_a_pixels_rays_that_end_on_one_object_are_one_end_of_their_common_weight():
    objects = (facing(-2, False), Plane(center=(0, 0, 9), normal=(0, 0, -1), material=CHALK))
    one, four = (shoot(objects, (0.1, 0.05, -1), background=SKY, height=height) for height in (None, HEIGHT))
    assert (places(four), four.ends[:, OBJECT].tolist()) == ([(0, REFLECTED)], [1])
    assert (four.slot % SUBPIXELS).tolist() == [0]
    np.testing.assert_allclose(four.throughput, one.throughput, rtol=1e-3)
    aside = (vectors(four, POINT) - vectors(one, POINT))[0].abs().amax().item()
    assert 0 < aside <= 0.5 * PIXEL * (2 + 11)  # at most half a pixel, at the image's distance


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rest", [CHALK, LAMP], ids=["chalk", "lamp"])
def test_a_mirror_shows_the_outside_of_what_stands_on_it_up_to_its_foot(rest, device):
    """A tenth of a pixel before it: other rays of the pixel would meet the mirror below the box, and see its inside."""
    mirror = Plane(center=(0, -1, 0), normal=(0, 1, 0), material=MIRROR)
    box = Box(center=(0, 0, -5), half_extents=(3, 1, 1), material=rest)
    down = 0.25 + 0.1 * PIXEL
    chains = shoot((mirror, box), (0.02, -down, -1), height=HEIGHT, device=device)
    shown = schlick(down / math.hypot(0.02, down, 1))
    assert chains.ends[:, OBJECT].tolist() == [1]
    np.testing.assert_allclose(vectors(chains, NORMAL), [(0, 0, 1)], atol=1e-6)
    np.testing.assert_allclose(chains.throughput.sum(0), shown, rtol=0.02)
    np.testing.assert_allclose(chains.radiance[0, REFLECTED], shown * rest.emission, rtol=0.02)


@pytest.mark.parametrize("shift", [-0.3, 0.1, 0.3])  # of the edge, in pixels
def test_mirror_images_have_soft_edges(shift):
    """The share of the pixel beyond the edge shows the chalk, which no quarters are: 48 rays about the four find it."""
    edge = 13.0 * PIXEL * shift  # 2 there and 11 back
    wall = Panel(center=(5 + edge, 0, 9), half_extents=(5, 5), rotation=(0.0, 1.0, 0.0, 0.0), material=CHALK)
    mirror = Plane(center=(0, 0, -2), normal=(0, 0, 1), material=MIRROR)
    chains = shoot((mirror, wall), (0, 0, -1), background=SKY, height=HEIGHT)
    share = float(chains.throughput.sum(0)[0] / schlick(1.0)[0])
    assert share == pytest.approx(0.5 - shift, abs=0.06)
    np.testing.assert_allclose(chains.throughput.sum(0), share * schlick(1.0), rtol=1e-3)
    np.testing.assert_allclose(chains.radiance[0, REFLECTED], (1 - share) * schlick(1.0) * SKY, rtol=1e-3)
    assert chains.ends[:, OBJECT].tolist() == [1]


def test_in_a_furnace_a_pixels_rays_show_what_its_one_ray_shows():
    chains = shoot((CLEAR["ball"],), (0.1, 0.05, -1.0), (0.16, 0.0, -1.0), background=SKY, height=HEIGHT)
    np.testing.assert_allclose(chains.radiance.sum(1), np.tile(SKY, (2, 1)), rtol=1e-5)
    assert len(chains.ends) == 0
