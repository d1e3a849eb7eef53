"""Choosing lights: frequencies are the stated probabilities, which sum to 1; and who is lit by what."""

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES, run, unit_vectors
from outside import FAINT, SUN
from proof import assert_agree
from shapes import CAMERA, Images, random_objects, surface_points
from tracer_scenes import FLOOR, GREY, LAMP, WHITE, ball, egg, glass, scene

from luxel.core import scene_tables
from luxel.core.emitters import (
    LightSampleContext,
    choose_light,
    emitted_radiance,
    is_lamp,
    light_cdf,
    light_probability,
    light_weight,
    map_weight,
    sun_weight,
    unsampled_sky_radiance,
)
from luxel.core.intersect import MAP as MAP_ID
from luxel.core.intersect import SUN as SUN_ID
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.scene import Box, Cylinder, Material, Panel, Plane, Scene, Sphere
from luxel.scene.description import Object
from luxel.trace.path import PathTracer

NOTHING = -1


@wp.kernel(enable_backward=False)
def choices(
    scenes: Scenes,
    scene: int,
    point: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    object_id: wp.array[int],
    is_opaque: wp.array[int],
    u: wp.array[float],
    chosen_id: wp.array[int],
    probability: wp.array[float],
    total: wp.array[float],
):
    i = wp.tid()
    at = LightSampleContext(point[i], normal[i], object_id[i], is_opaque[i] != 0)
    chosen = choose_light(scenes, scene, at, light_cdf(scenes, scene, at), u[i])
    chosen_id[i] = chosen.object_id
    probability[i] = chosen.probability
    total[i] = chosen.weight_sum


@wp.kernel(enable_backward=False)
def cumulated_weights(
    scenes: Scenes,
    object_id: int,
    is_opaque: bool,
    point: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    together: wp.array2d[float],
    one_by_one: wp.array2d[float],
):
    i = wp.tid()
    at = LightSampleContext(point[i], normal[i], object_id, is_opaque)
    cdf = light_cdf(scenes, 0, at)
    total = float(0.0)
    for k in range(together.shape[1]):
        total += light_weight(scenes, scenes.light_object[k], at)
        together[i, k] = cdf[k]
        one_by_one[i, k] = total


@wp.kernel(enable_backward=False)
def probabilities(
    scenes: Scenes,
    scene: int,
    point: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    object_id: wp.array[int],
    is_opaque: wp.array[int],
    light: wp.array[int],
    total: wp.array[float],
    probability: wp.array[float],
):
    i = wp.tid()
    at = LightSampleContext(point[i], normal[i], object_id[i], is_opaque[i] != 0)
    probability[i] = light_probability(scenes, scene, light[i], at, total[i])


@wp.kernel(enable_backward=False)
def radiances(
    scenes: Scenes,
    object_id: wp.array[int],
    direction: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    emitted: wp.array[wp.vec3],
    sky: wp.array[wp.vec3],
):
    i = wp.tid()
    emitted[i] = emitted_radiance(scenes, object_id[i], direction[i], normal[i])
    sky[i] = unsampled_sky_radiance(scenes, 0, direction[i])


@wp.kernel(enable_backward=False)
def lamps_among(scenes: Scenes, object_id: wp.array[int], found: wp.array[int]):
    i = wp.tid()
    found[i] = wp.where(is_lamp(scenes, object_id[i]), 1, 0)


def lamps(count: int, seed: int) -> list[Object]:
    """Of every kind, some ten times as bright as others, and as many objects that are none."""
    kinds = ["sphere", "ellipsoid", "box", "cylinder", "rectangle", "disc"]
    random = np.random.default_rng(seed)
    found: list[Object] = []
    for number in range(count):
        (item,) = random_objects(kinds[number % 6], 1, 100 * seed + number, ratio=5.0, spread=4.0)
        emission = tuple(random.uniform(0.2, 2.0) * np.array([2.0, 3.0, 5.0]))
        found.append(item.model_copy(update={"material": Material(emission=emission)}))
        found += random_objects(kinds[(number + 1) % 6], 1, 100 * seed + 50 + number, ratio=5.0, spread=4.0)
    return found


class Places:
    """Points to be lit, opaque in turns: in space, and on the first objects."""

    def __init__(self, batch: SceneBatch, objects: list[Object], count: int):
        self.batch, self.device = batch, batch.device.type  # the batch owns the memory that kernels read
        self.scenes = launchable(batch)
        self.lights = np.array([row for row, item in enumerate(objects) if item.material.is_emissive], np.int32)
        self.point, self.normal = 3 * unit_vectors(count, 1), unit_vectors(count, 2)
        self.object_id = np.full(count, NOTHING, np.int32)
        for row in range(min(6, len(objects))):
            kind = ["sphere", "ellipsoid", "box", "cylinder", "rectangle", "disc"][(row // 2 + row % 2) % 6]
            point, normal, _ = surface_points(Images.of(kind, [objects[row]]), np.zeros(1, int), row)
            self.point[row], self.normal[row], self.object_id[row] = point[0], normal[0], row
        self.is_opaque = (np.arange(count) % 2 == 0).astype(np.int32)

    def choose(self, each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For `each` numbers evenly between 0 and 1: object, probability, total, [places, each]."""
        fields = [np.repeat(v, each, axis=0) for v in (self.point, self.normal, self.object_id, self.is_opaque)]
        u = np.tile((np.arange(each) + 0.5) / each, len(self.point)).astype(np.float32)
        found = run(choices, self.scenes, 0, *fields, u, device=self.device)
        return tuple(values.reshape(-1, each) for values in found)

    def probability(self, total: np.ndarray) -> np.ndarray:
        """Of each light, [places, lights]."""
        many = len(self.lights)
        fields = [np.repeat(v, many, axis=0) for v in (self.point, self.normal, self.object_id, self.is_opaque)]
        lights = np.tile(self.lights, len(self.point))
        found = run(probabilities, self.scenes, 0, *fields, lights, np.repeat(total, many), device=self.device)[0]
        return found.reshape(-1, many)


SETTINGS = {"one light": (1, 24), "few": (5, 24), "all weighed": (23, 24), "tree": (41, 24), "small tree": (5, 2)}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_lights_are_chosen_with_their_probability(setting, device, monkeypatch):
    """Over evenly spaced numbers, which the choice maps piece by piece to lights."""
    count, limit = SETTINGS[setting]
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", limit)
    objects = lamps(count, 3)
    places = Places(SceneBatch.of([Scene(objects=tuple(objects), camera=CAMERA)], device), objects, 31)
    chosen, probability, total = places.choose(16384)
    known = places.probability(total.max(1))
    frequency = (chosen[:, :, None] == places.lights).mean(1)
    # A light is chosen in many pieces of [0, 1), each of which may have one number more or less.
    # A tree's boxes don't know what a lamp's inside or a panel's back is: there, no choice is made.
    shines = frequency > 0
    np.testing.assert_allclose(frequency, np.where(shines, known, 0), atol=6e-3)
    assert "tree" in setting or (known[~shines] < 1e-3).all()
    # What the choice says of itself is what is said of the light.
    row, sample = np.nonzero(chosen >= 0)
    slot = np.searchsorted(places.lights, chosen[row, sample])
    np.testing.assert_allclose(probability[row, sample], known[row, slot], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("setting", list(SETTINGS))
def test_probabilities_sum_to_1_where_anything_can_shine(setting, device, monkeypatch):
    """With a tree to 1 at most: the walk down may end at boxes below the horizon of which their parent's was above.

    The total must not depend on the number drawn: by it the path weighs what it finds.
    """
    count, limit = SETTINGS[setting]
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", limit)
    objects = lamps(count, 3)
    places = Places(SceneBatch.of([Scene(objects=tuple(objects), camera=CAMERA)], device), objects, 211)
    _, _, total = places.choose(64)
    np.testing.assert_allclose(total, np.repeat(total[:, :1], 64, axis=1), rtol=1e-5)
    known = places.probability(total.max(1))
    some = known.sum(1) > 0
    assert some.sum() > (100 if count > 1 else 40)
    assert known.sum(1).max() < 1 + 1e-4
    if "tree" not in setting:
        np.testing.assert_allclose(known.sum(1)[some], 1, atol=1e-4)
    else:
        assert known.sum(1)[some].mean() > 0.8


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("limit", [24, 2], ids=["all weighed", "tree"])
def test_every_light_that_can_shine_has_a_chance(limit, device, monkeypatch):
    """What faces the point from above its horizon: weights may be off, but not 0."""
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", limit)
    objects = lamps(7, 5)
    places = Places(SceneBatch.of([Scene(objects=tuple(objects), camera=CAMERA)], device), objects, 211)
    chosen, _, total = places.choose(4096)
    known = places.probability(total.max(1))
    shines = np.zeros_like(known, bool)
    for number, row in enumerate(places.lights):
        kind = ["sphere", "ellipsoid", "box", "cylinder", "rectangle", "disc"][number % 6]
        on, normal, _ = surface_points(Images.of(kind, [objects[row]]), np.zeros(503, int), row)
        vector = on[None] - places.point[:, None].astype(np.float64)
        above = (vector * places.normal[:, None]).sum(-1) > 1e-3
        shines[:, number] = (((vector * normal).sum(-1) < -1e-3) & (above | (places.is_opaque == 0)[:, None])).any(1)
    shines &= places.object_id[:, None] != places.lights
    assert 0.3 < shines.mean() < 0.95
    assert (known[shines] > 0).all()
    often = known > 2e-3
    np.testing.assert_array_equal((chosen[:, :, None] == places.lights).any(1)[shines & often], True)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", ["sphere", "ellipsoid", "box", "cylinder", "panel"])
@pytest.mark.parametrize("limit", [24, 0], ids=["weighed", "tree"])
def test_a_light_lights_neither_itself_nor_what_is_inside_or_behind(limit, kind, device, monkeypatch):
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", limit)
    center = (0.3, -0.2, 0.1)
    down = {"center": center, "rotation": (0.0, 1.0, 0.0, 0.0)}  # half a turn: fronts look down
    lamp = {
        "sphere": ball(*center, 0.5, LAMP),
        "ellipsoid": egg(*center, (1.1, 0.5, 0.23), LAMP),
        "box": Box(half_extents=(0.5, 0.4, 0.3), material=LAMP, **down),
        "cylinder": Cylinder(radius=0.5, half_height=0.3, material=LAMP, **down),
        "panel": Panel(half_extents=(0.5, 0.4), material=LAMP, **down),
    }[kind]
    batch = SceneBatch.of([scene(lamp)], device)
    below, above = ((center[0], center[1], center[2] + z) for z in (-2, 2))
    up, downwards = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
    cases = [  # point, normal, object, opaque, lit
        (below, up, NOTHING, 1, True),
        (below, downwards, NOTHING, 1, False),
        (below, downwards, NOTHING, 0, True),
        (below, up, 0, 1, False),
        (center, up, NOTHING, 1, False),
        (above, downwards, NOTHING, 1, kind != "panel"),
    ]
    point, normal = (np.array([case[place] for case in cases], np.float32) for place in (0, 1))
    object_id, is_opaque = (np.array([case[place] for case in cases], np.int32) for place in (2, 3))
    u = np.full(len(cases), 0.5, np.float32)
    chosen, _, total = run(choices, launchable(batch), 0, point, normal, object_id, is_opaque, u, device=device)
    assert (chosen == 0).tolist() == [case[4] for case in cases]
    assert limit == 0 or (total > 0).tolist() == [case[4] for case in cases]


@wp.kernel(enable_backward=False)
def far_weights(
    scenes: Scenes,
    point: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    object_id: wp.array[int],
    is_opaque: wp.array[int],
    sun: wp.array[float],
    of_map: wp.array[float],
):
    i = wp.tid()
    at = LightSampleContext(point[i], normal[i], object_id[i], is_opaque[i] != 0)
    sun[i] = sun_weight(scenes.scenes[0], at)
    of_map[i] = map_weight(scenes.scenes[0], at)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("largest", [1 - 2.0**-24, 1.0])
@pytest.mark.parametrize("limit", [24, 2], ids=["all weighed", "tree"])
def test_the_largest_random_number_chooses_what_is_there(limit, largest, device, monkeypatch):
    """Shares of it are rounded to 1 at some points: behind the sun's there may be no map, behind a tree's no lamp."""
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", limit)
    objects = lamps(5, 3)
    batch = SceneBatch.of([Scene(objects=tuple(objects), sun=SUN, camera=CAMERA)], device)
    places = Places(batch, objects, 20_011)
    u = np.full(len(places.point), largest, np.float32)
    chosen = run(
        choices, places.scenes, 0, places.point, places.normal, places.object_id, places.is_opaque, u, device=device
    )[0]
    assert set(chosen) <= {NOTHING, int(SUN_ID), *places.lights}
    assert (chosen != NOTHING).mean() > 0.5


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_sun_and_map_are_chosen_beside_lamps_by_their_weights(setting, device, monkeypatch):
    """Over evenly spaced numbers; and all probabilities sum to 1."""
    count, limit = SETTINGS[setting]
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", limit)
    objects = lamps(count, 3)
    one = Scene(objects=tuple(objects), camera=CAMERA, sky=FAINT, sun=SUN)
    places = Places(SceneBatch.of([one], device), objects, 31)
    chosen, probability, total = places.choose(16384)
    fields = (places.point, places.normal, places.object_id, places.is_opaque)
    far = np.stack(run(far_weights, places.scenes, *fields, device=device), 1) / total.max(1)[:, None]
    frequency = np.stack([(chosen == number).mean(1) for number in (int(SUN_ID), int(MAP_ID))], 1)
    np.testing.assert_allclose(frequency, far, atol=6e-3)  # in many pieces, as above
    known = places.probability(total.max(1))
    assert (known.sum(1) + far.sum(1)).max() < 1 + 1e-4
    if "tree" not in setting:
        np.testing.assert_allclose(known.sum(1) + far.sum(1), 1, atol=1e-4)
    for column, number in enumerate((int(SUN_ID), int(MAP_ID))):
        row, sample = np.nonzero(chosen == number)
        np.testing.assert_allclose(probability[row, sample], far[row, column], rtol=1e-4)
    assert 0.05 < frequency[:, 0].mean() < 0.95
    assert (frequency[:, 1] > 0).all()


@pytest.mark.parametrize("device", DEVICES)
def test_lamps_are_the_sun_and_every_object_that_emits_in_any_channel(device):
    glows = Plane(center=(0, 0, -1), material=Material(emission=(0, 0, 0.01)))
    batch = SceneBatch.of([scene(glows, ball(0, 0, 0, 1), ball(3, 0, 0, 1, LAMP))], device)
    ids = np.array([0, 1, 2, SUN_ID, MAP_ID, NOTHING], np.int32)
    assert run(lamps_among, launchable(batch), ids, device=device)[0].tolist() == [1, 0, 1, 1, 0, 0]


@pytest.mark.parametrize("device", DEVICES)
def test_objects_emit_outwards_and_the_sky_from_everywhere(device):
    batch = SceneBatch.of([scene(ball(0, 0, 0, 1, LAMP), ball(3, 0, 0, 1), background=GREY)], device)
    direction = np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0]], np.float32)
    normal = np.array([[0, -1, 0], [0, 1, 0], [0, -1, 0]], np.float32)
    emitted, sky = run(radiances, launchable(batch), np.array([0, 0, 1], np.int32), direction, normal, device=device)
    assert emitted.tolist() == [[2, 3, 5], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(sky, np.tile(GREY, (3, 1)), rtol=1e-6)


def garlands() -> dict[str, Scene]:
    """As many lights as are weighed, each: small and large, opaque surfaces and glass among them."""
    random = np.random.default_rng(0)
    places = random.uniform(-1, 1, (24, 3)) * [1.8, 1.5, 0.8] + [0.2, 0.6, 0.3]
    dark = Material(base_color=(0, 0, 0), specular=0.0)
    bulbs = [
        ball(*place, 0.03 + 0.1 * random.uniform() ** 3, dark.model_copy(update={"emission": tuple(emission)}))
        for place, emission in zip(places.tolist(), random.uniform(1, 9, (24, 3)).tolist(), strict=True)
    ]
    panels = [
        Panel(
            center=tuple(place), half_extents=(0.15, 0.1), rotation=tuple(random.normal(size=4)),
            material=Material(emission=tuple(random.uniform(1, 5, 3))),
        )
        for place in places.tolist()
    ]  # fmt: skip
    return {
        "bulbs": scene(FLOOR, ball(0, 0, -0.2, 0.6), *bulbs),
        "bulbs and glass": scene(FLOOR, ball(0, 0, -0.2, 0.6, glass(0.4)), *bulbs, background=GREY),
        "panels": scene(Plane(center=(0, 0, -1)), ball(0, 0, -0.2, 0.6), *panels),
        "lamps with their backs to it": scene(
            FLOOR, *(Panel(center=tuple(place), half_extents=(0.1, 0.1), material=LAMP) for place in places.tolist())
        ),
    }


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "name",
    [
        "bulbs",
        "bulbs and glass",
        "panels",
        "lamps with their backs to it",
    ],
)
def test_pictures_by_the_light_tree_are_those_of_all_lights_weighed(name, device, monkeypatch):
    one, tracer = garlands()[name], PathTracer(max_depth=4, device=device)
    exact = tracer.trace([one], 17, 13, 4096, 0)
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", 5)
    assert_agree(name, tracer.trace([one], 17, 13, 4096, 1), exact)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("limit", [24, 5], ids=["exact", "tree"])
def test_what_lights_turn_their_backs_to_is_black(limit, device, monkeypatch):
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", limit)
    upwards = [Panel(center=(x / 8, 0, 1), half_extents=(0.05, 0.05), material=LAMP) for x in range(-12, 12)]
    floor = Plane(center=(0, 0, -1), material=WHITE)
    batch = SceneBatch.of([scene(floor, *upwards)], device)
    mean = PathTracer(max_depth=2, device=device).trace(batch, 7, 5, 64, 0).mean
    lower = torch.from_numpy(mean[0, 3:])  # the floor; higher up the lamps' black backs reflect it
    assert (lower == 0).all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("limit", [24, 0], ids=["exact", "tree"])
@pytest.mark.parametrize(("x", "u"), [(-2, 0.0), (2, 1 - 2.0**-24)], ids=["first", "last"])
@pytest.mark.parametrize(("ratio", "share"), [(1e4, 1 / 10001), (1e9, 0.0)])
def test_a_light_too_weak_to_be_chosen_as_often_as_is_stated_is_not_sampled(
    ratio, share, x, u, limit, device, monkeypatch
):
    """By the random number at the weak light's end of all, which are in the order of their places."""
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", limit)
    weak, strong = (Material(base_color=(0, 0, 0), emission=(e, e, e)) for e in (1e-4, 1e-4 * ratio))
    batch = SceneBatch.of([scene(ball(-x, 0, 0, 0.3, strong), ball(x, 0, 0, 0.3, weak))], device)
    scenes, row = launchable(batch), 1
    at = [np.array([vector], np.float32) for vector in ((0, 0, 0), (0, 0, 1))]
    at += [np.array([number], np.int32) for number in (NOTHING, 0)]
    chosen, probability, total = run(choices, scenes, 0, *at, np.array([u], np.float32), device=device)
    (stated,) = run(probabilities, scenes, 0, *at, np.array([row], np.int32), total, device=device)
    np.testing.assert_allclose(stated, share, rtol=1e-3)
    if share > 0:
        assert chosen == row
        np.testing.assert_allclose(probability, share, rtol=1e-3)
    else:
        assert chosen != row


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("limit", [24, 0], ids=["exact", "tree"])
@pytest.mark.parametrize("radiance", [1e-12, 1e-3, 1e6])
def test_nor_is_a_sun_too_weak_beside_a_lamp_or_a_lamp_beside_a_sun(radiance, limit, device, monkeypatch):
    """The random numbers at both ends choose one each, of which one alone is to be sampled, or both."""
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", limit)
    lamp = ball(0, 0, 3, 0.3, Material(base_color=(0, 0, 0), emission=(1e-3, 1e-3, 1e-3)))
    sun = SUN.model_copy(update={"radiance": (radiance,) * 3})
    scenes = launchable(SceneBatch.of([Scene(objects=(lamp,), camera=CAMERA, sun=sun)], device))
    at = [np.tile(np.array([vector], np.float32), (2, 1)) for vector in ((0, 0, 0), (0, 0, 1))]
    at += [np.full(2, number, np.int32) for number in (NOTHING, 0)]
    ends = np.array([0, 1 - 2.0**-24], np.float32)
    chosen, probability, total = run(choices, scenes, 0, *at, ends, device=device)
    stated = run(probabilities, scenes, 0, *at, np.zeros(2, np.int32), total, device=device)[0][0]
    choosable = {int(light): float(p) for light, p in zip(chosen, probability, strict=True) if p > 0}
    assert set(choosable) == {1e-12: {0}, 1e-3: {0, int(SUN_ID)}, 1e6: {int(SUN_ID)}}[radiance]
    assert sum(choosable.values()) == pytest.approx(1, abs=1e-6)
    assert stated == pytest.approx(choosable.get(0, 0.0), abs=1e-6)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("limit", [24, 0], ids=["exact", "tree"])
def test_points_that_see_a_weak_lamp_alone_are_lit_as_if_there_were_no_strong_one(limit, device, monkeypatch):
    """A lamp in a closed box has 10⁹ times its power, so that it is all but always looked for, and never seen."""
    monkeypatch.setattr(scene_tables, "EXACT_LIGHTS", limit)
    strong = ball(-1.2, 0.5, -0.5, 0.3, Material(base_color=(0, 0, 0), emission=(2e5, 3e5, 5e5)))
    case = Box(center=strong.center, half_extents=(0.4, 0.4, 0.4))
    weak = ball(1.5, -0.5, 1.2, 0.6, Material(base_color=(0, 0, 0), emission=(2e-4, 3e-4, 5e-4)))
    seen = [FLOOR, ball(0.3, 0, -0.3, 0.6), case, weak]
    tracer = PathTracer(max_depth=3, device=device)
    alone, both = (tracer.trace([scene(*lamps, *seen)], 13, 11, 4096, seed) for seed, lamps in ((0, []), (1, [strong])))
    assert alone.mean.mean() > 1e-5
    assert_agree("a weak lamp beside a strong one", both, alone)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("is_opaque", [True, False])
@pytest.mark.parametrize("object_id", [NOTHING, 5])
def test_lights_that_are_weighed_together_weigh_what_each_does(device, is_opaque, object_id):
    """19 lights in three groups, spheres and others; points among them, in some, and with some below their horizon."""
    random = np.random.default_rng(0)
    lights = []
    for k in range(19):
        center, radius = tuple(random.uniform(-1, 1, 3)), float(random.uniform(0.05, 0.4))
        material = Material(emission=tuple(random.uniform(0.1, 9, 3)))
        box = Box(center=center, half_extents=(radius, 0.1, 0.2), material=material)
        lights.append(box if k % 7 == 3 else Sphere(center=center, radius=radius, material=material))
    batch = SceneBatch.of([Scene(objects=tuple(lights), camera=CAMERA)], device)
    point = random.uniform(-1.2, 1.2, (101, 3)).astype(np.float32)
    normal = random.normal(size=(101, 3))
    normal = (normal / np.linalg.norm(normal, axis=1, keepdims=True)).astype(np.float32)
    found = [wp.zeros((101, 19), dtype=float, device=device) for _ in range(2)]
    given = [wp.array(values, dtype=wp.vec3, device=device) for values in (point, normal)]
    wp.launch(cumulated_weights, 101, [launchable(batch), object_id, is_opaque, *given, *found], device=device)
    together, one_by_one = (each.numpy() for each in found)
    np.testing.assert_allclose(together, one_by_one, rtol=1e-5)
    weights = np.diff(together, prepend=0)
    assert ((weights == 0) == (np.diff(one_by_one, prepend=0) == 0)).all()
    assert 0.005 < (weights == 0).mean() < 0.8
