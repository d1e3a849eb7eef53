"""Rays that a ball of glass refracts, in the plane that holds its centre: there a ray is one number.

A ray that passes a ball's centre at the distance b is turned towards it by α − β at each interface, with the sines of
incidence b / r outside and b / (η r) within (Snell), and passes the centre at b again outside, at b / η within.
"""

import warp as wp

NEAR_AXIS = wp.constant(0.02)
"""Of the distance at which a ray passes a ball's centre, over its radius: up to it, a ball focuses alike in the plane
and across it, to its square, and what is across would be a ratio of differences."""


@wp.struct
class BallSection:
    """The plane through a point, a ball's centre and the end of a straight line from the point: it is 0, along x."""

    center: wp.vec2
    radius: float
    eta: float
    end: float  # (end, 0)
    starts_inside: bool  # the point
    ends_inside: bool
    at_infinity: bool  # the end is the direction along x


@wp.struct
class SectionRay:
    """A ray from the point of a BallSection, refracted, and its derivatives by the angle φ at which it starts."""

    is_refracted: bool  # it meets the ball, and is not reflected totally
    is_left: bool  # of the ball's centre
    point: wp.vec2  # of its last interface
    direction: wp.vec2  # from there
    cosine: float  # of incidence outside, the same at both interfaces
    error: float  # how far it passes the end, which is on its left; at infinity, the sine of the angle to x
    slope: float  # of the error, per radian of φ in the plane
    across: float  # how far, per radian, a ray that starts across the plane passes the end


@wp.func
def cross2(a: wp.vec2, b: wp.vec2) -> float:
    """The area that two vectors span, positive if the second is to the left of the first."""
    return a[0] * b[1] - a[1] * b[0]


@wp.func
def turned(direction: wp.vec2, sine: float, cosine: float) -> wp.vec2:
    """A direction, turned to the left."""
    return wp.vec2(cosine * direction[0] - sine * direction[1], sine * direction[0] + cosine * direction[1])


@wp.func
def refract_by_ball(section: BallSection, tangent: float) -> SectionRay:
    """The ray that starts with this tangent of φ.

    Across the plane all turns about the axis through the point and the centre: a ray that starts by an angle off moves
    at its end by as much more as the end is farther from the axis than a point of the ray that is 1 along it.
    """
    ray = SectionRay()
    cosine = 1.0 / wp.sqrt(1.0 + tangent * tangent)
    start = wp.vec2(cosine, tangent * cosine)
    passes = cross2(start, section.center)  # the centre, which is on its left, at this distance
    along = wp.dot(start, section.center)
    sine_slope = wp.where(section.starts_inside, section.eta, 1.0) / section.radius  # of b, outside
    outside = sine_slope * passes
    within = outside / section.eta
    ray.is_refracted = outside * outside < 1.0 and (section.starts_inside or along > 0.0)
    ray.is_left = passes < 0.0
    if ray.is_refracted:
        cos_outside = wp.sqrt(1.0 - outside * outside)
        cos_within = wp.sqrt(1.0 - within * within)
        ray.cosine = cos_outside
        turn_sine = outside * cos_within - cos_outside * within
        turn_cosine = cos_outside * cos_within + outside * within
        sine_slope = -along * sine_slope  # of the sine outside, by φ
        angle_slope = sine_slope * (1.0 / cos_outside - 1.0 / (section.eta * cos_within))
        ray.direction = turned(start, turn_sine, turn_cosine)
        if not section.starts_inside and not section.ends_inside:
            ray.direction = turned(ray.direction, turn_sine, turn_cosine)
            angle_slope *= 2.0
        angle_slope += 1.0
        to_left = wp.vec2(-ray.direction[1], ray.direction[0])
        sine = wp.where(section.ends_inside, within, outside)
        half_chord = section.radius * wp.where(section.ends_inside, -cos_within, cos_outside)
        ray.point = section.center - section.radius * sine * to_left + half_chord * ray.direction
        vector = wp.vec2(section.end, 0.0) - ray.point
        moved = wp.dot(vector, ray.direction) * ray.direction + ray.point  # what is beside the end
        ray.error = cross2(ray.direction, vector)
        last_slope = sine_slope * wp.where(section.ends_inside, 1.0 / section.eta, 1.0)
        ray.slope = section.radius * last_slope - angle_slope * wp.dot(
            ray.direction, wp.vec2(section.end, 0.0) - section.center
        )
        if section.at_infinity:
            moved = ray.direction
            ray.error = -ray.direction[1]
            ray.slope = -angle_slope * ray.direction[0]
        ray.across = ray.slope
        if wp.abs(passes) > NEAR_AXIS * section.radius:
            ray.across = cross2(moved, section.center) / passes
    return ray
