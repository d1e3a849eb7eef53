"""Rays that a ball refracts in a plane, against Snell's law in NumPy's float64 in space, and their derivatives."""

from typing import NamedTuple

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.core.ball_refraction import BallSection, refract_by_ball

RADIUS, ETA = 0.7, 1.5


@wp.kernel(enable_backward=False)
def section_rays(
    center: wp.vec2,
    end: float,
    starts_inside: bool,
    ends_inside: bool,
    at_infinity: bool,
    tangent: wp.array[float],
    is_refracted: wp.array[int],
    point: wp.array[wp.vec2],
    direction: wp.array[wp.vec2],
    cosine: wp.array[float],
    error: wp.array[float],
    slope: wp.array[float],
    across: wp.array[float],
):
    i = wp.tid()
    section = BallSection(center, RADIUS, ETA, end, starts_inside, ends_inside, at_infinity)
    ray = refract_by_ball(section, tangent[i])
    is_refracted[i] = wp.where(ray.is_refracted, 1, 0)
    point[i] = ray.point
    direction[i] = ray.direction
    cosine[i] = ray.cosine
    error[i] = ray.error
    slope[i] = ray.slope
    across[i] = ray.across


class Case(NamedTuple):
    """Where a ball's centre and a line's end are, seen from a point at (0, 0)."""

    center: tuple[float, float]
    end: float
    starts_inside: bool = False
    ends_inside: bool = False
    at_infinity: bool = False


CASES = {
    "through it": Case((2.3, 0.2), 5.0),
    "through it, close by": Case((0.75, 0.1), 9.0),
    "into it": Case((2.3, -0.1), 2.1, ends_inside=True),
    "out of it": Case((0.3, 0.1), 4.0, starts_inside=True),
    "to infinity": Case((2.3, 0.2), 1.0, at_infinity=True),
}


def refracted(case: Case, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In space, the last interface and the direction from there of a ray that starts at 0, in float64."""
    center = np.array([*case.center, 0.0])
    point, direction, inside = np.zeros(3), start, case.starts_inside
    for _ in range(1 if case.starts_inside or case.ends_inside else 2):
        vector = center - point
        middle = vector @ direction
        half = np.sqrt(RADIUS**2 - vector @ vector + middle**2)
        point = point + (middle + (half if inside else -half)) * direction
        along = (point - center) / RADIUS * (1 if inside else -1)
        index = 1 / ETA if inside else ETA
        tangent = (direction - (direction @ along) * along) / index
        direction = tangent + np.sqrt(1 - tangent @ tangent) * along
        inside = not inside
    return point, direction


def error_of(case: Case, start: np.ndarray) -> np.ndarray:
    """How far the ray passes the end to the right, in the plane, and how far above it."""
    point, direction = refracted(case, start)
    straight = np.array([1.0, 0.0, 0.0])
    vector = case.end * straight - point
    off = straight - direction if case.at_infinity else vector - (vector @ direction) * direction
    left = np.array([-direction[1], direction[0], 0.0]) / np.hypot(*direction[:2])
    above = np.cross([direction[0], direction[1], 0.0] / np.hypot(*direction[:2]), left)
    return np.array([off @ left, off @ above])


def start_of(phi: float, psi: float = 0.0) -> np.ndarray:
    """The direction at the angle φ to x in the plane, and ψ above that."""
    return np.array([np.cos(phi) * np.cos(psi), np.sin(phi) * np.cos(psi), np.sin(psi)])


def rays_of(case: Case, tangents: np.ndarray, device: str = "cpu") -> list[np.ndarray]:
    """The fields of each SectionRay."""
    given = (wp.vec2(*case.center), *case[1:], tangents.astype(np.float32))
    return run(section_rays, *given, device=device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", list(CASES))
def test_rays_obey_snell_and_tell_how_far_they_pass_the_end(name, device):
    """And derivatives are differences of float64's; on the axis those in the plane and across it are the same."""
    case = CASES[name]
    tangents = np.tan(np.arctan2(case.center[1], case.center[0]) + np.array([-0.13, -0.03, 0.0, 0.05, 0.11]))
    is_refracted, point, direction, _, error, slope, across = rays_of(case, tangents, device)
    assert is_refracted.all()
    step = 1e-5
    for i, phi in enumerate(np.arctan(tangents)):
        expected_point, expected_direction = refracted(case, start_of(phi))
        np.testing.assert_allclose(point[i], expected_point[:2], atol=1e-5)
        np.testing.assert_allclose(direction[i], expected_direction[:2], atol=1e-5)
        np.testing.assert_allclose(error[i], error_of(case, start_of(phi))[0], atol=2e-5)
        by_phi = (error_of(case, start_of(phi + step)) - error_of(case, start_of(phi - step)))[0] / (2 * step)
        by_psi = (error_of(case, start_of(phi, step)) - error_of(case, start_of(phi, -step)))[1] / (2 * step)
        np.testing.assert_allclose(slope[i], by_phi, rtol=2e-3)
        np.testing.assert_allclose(abs(across[i]), abs(by_psi), rtol=5e-3)


def test_rays_beside_the_ball_and_those_reflected_within_are_not_refracted():
    beside = np.tan(np.arcsin(RADIUS / 2.3) * np.array([-1.01, -0.99, 0.99, 1.01]))
    assert rays_of(Case((2.3, 0.0), 5.0), beside)[0].tolist() == [0, 1, 1, 0]
    behind = np.array([0.0])
    assert rays_of(Case((-2.3, 0.0), 5.0), behind)[0].tolist() == [0]
    critical = np.tan(np.arcsin(RADIUS / ETA / 0.6) * np.array([-1.01, -0.99, 0.99, 1.01]))
    assert rays_of(Case((0.6, 0.0), 5.0, starts_inside=True), critical)[0].tolist() == [0, 1, 1, 0]
