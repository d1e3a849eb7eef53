"""Looks: the ground, the lamps and the background that make a figure of particles, and the camera fitted to them.

A look says how brightly things are lit, not by how many watts, so that it is the same at every size: a `brightness` is
the radiance that a white matte surface facing the lamp shows, irradiance / π.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float64

from luxel import InputError
from luxel.configuration import did_you_mean, shortened
from luxel.scene.camera import frame
from luxel.scene.description import Camera, Color, Material, Object, Panel, Plane, Vector
from luxel.scene.placing import direction, facing, vector

LookName: TypeAlias = Literal["paper", "studio", "dark", "flat"]
FOV_DEGREES: Final = 25.0
"""Of the camera, vertically: that of the Mitsuba scenes which point-cloud papers share, little perspective."""
MAX_EXTENTS: Final = 15.0
"""Of an orthographic camera before a figure, in heights of its picture; lamps stand farther."""
FILLED: Final = 0.84
"""How much of the picture's narrower side the particles take."""
LAMP_DISTANCE: Final = 30.0
"""Of the lamps, in radii of what is lit: so far that the ground that is seen is lit evenly."""
VIEWS: Final[dict[str, tuple[float, float]]] = {
    "front": (0.0, 0.0),
    "right": (90.0, 0.0),
    "back": (180.0, 0.0),
    "left": (-90.0, 0.0),
    "top": (0.0, 90.0),
    "bottom": (0.0, -90.0),
}
"""Azimuth and elevation of the camera in degrees, as in `View`."""
STEEP: Final = 89.0
"""Degrees of elevation from which on the picture's vertical is no longer z but the horizontal that leads there."""


Projection: TypeAlias = Literal["perspective", "orthographic"]


class View(NamedTuple):
    """Where the camera stands, in degrees: azimuth 0 is at −y, 90 at +x; elevation 90 is above."""

    azimuth: float
    elevation: float

    @staticmethod
    def of(text: str) -> "View":
        """The view that "35,20" or a name of VIEWS says. Raises InputError."""
        if text in VIEWS:
            return View(*VIEWS[text])
        try:
            view = View(*(float(part) for part in text.split(",")))
        except (ValueError, TypeError):  # no numbers; not two of them
            view = View(math.nan, math.nan)
        if not (abs(view.azimuth) <= 360 and abs(view.elevation) <= 90):
            raise InputError(
                f"view is {shortened(text)}, must be azimuth,elevation in degrees, in [-360, 360] and [-90, 90], "
                f"or one of {', '.join(VIEWS)}{did_you_mean(text, VIEWS)}"
            )
        return view

    def direction(self, azimuth: float = 0.0, elevation: float = 0.0) -> Vector:
        """The unit vector to the camera, or to what stands so many degrees farther round and at that elevation."""
        return direction(math.radians(self.azimuth + azimuth - 90), math.radians(elevation))

    @property
    def to_camera(self) -> Vector:
        """The unit vector to the camera."""
        return self.direction(0.0, self.elevation)

    @property
    def up(self) -> Vector:
        """The picture's vertical: z, but where the camera looks along it."""
        if abs(self.elevation) < STEEP:
            return 0.0, 0.0, 1.0
        away = -1.0 if self.elevation > 0 else 1.0
        x, y, _ = self.direction(0.0, 0.0)
        return vector((away * x, away * y, 0.0))


class Lamp(NamedTuple):
    """A square panel that faces the particles."""

    azimuth: float
    """Degrees from the camera's, so that every view is lit alike."""
    elevation: float | None
    """Degrees; None: the camera's."""
    half_width: float
    """Over its distance: its tangent as seen from the particles, so the softness of its shadows."""
    brightness: float
    color: Color = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Look:
    """What stands about particles, and what they are made of."""

    background: float
    """Radiance of the sky, a grey; 1 is a picture's white."""
    lamps: tuple[Lamp, ...]
    ground: Material | None
    """Left out below the horizon, as it would hide the particles."""
    albedo: float
    """Base colour over the colour that is given: what makes the lit side of a particle show about that colour."""
    roughness: float = 0.5
    specular: float = 0.3

    def materials(self, srgb: Float64[np.ndarray, "any 3"]) -> list[Material]:
        """The materials that show these colours; those of one colour share theirs."""
        made: dict[Color, Material] = {}
        colors = [(red, green, blue) for red, green, blue in (self.albedo * srgb_to_linear(srgb)).tolist()]
        for color in colors:
            if color not in made:
                made[color] = Material(base_color=color, roughness=self.roughness, specular=self.specular)
        return [made[color] for color in colors]


def matte(albedo: float) -> Material:
    """A grey without highlights."""
    return Material(base_color=(albedo, albedo, albedo), roughness=1.0, specular=0.0)


LOOKS: Final[dict[LookName, Look]] = {
    # The ground shows 0.72 · (1 + 0.75 · sin 60°) = 1.19, which is white, but where something is in the light's way.
    "paper": Look(1.0, (Lamp(-40.0, 60.0, 0.25, 0.75),), matte(0.72), albedo=0.56),
    "studio": Look(
        0.12,
        (
            Lamp(-45.0, 50.0, 0.35, 0.75, (1.0, 0.95, 0.88)),
            Lamp(60.0, 25.0, 0.5, 0.18, (0.85, 0.92, 1.0)),
            Lamp(160.0, 40.0, 0.3, 0.5),
        ),
        matte(0.4),
        albedo=0.9,
        roughness=0.3,
        specular=0.5,
    ),
    "dark": Look(
        0.015,
        (Lamp(-50.0, 45.0, 0.3, 0.8), Lamp(150.0, 30.0, 0.3, 0.9, (0.75, 0.85, 1.0))),
        matte(0.03),
        albedo=1.0,
        roughness=0.3,
        specular=0.5,
    ),
    # A lamp behind the camera: traced, white shows 0.95 where it faces it and 0.81 at its edge, so that it is told from
    # the sky. Diffuse reflection of more roughness is bright at grazing angles (Burley 2012, 5.3): of roughness 1,
    # white under the sky alone has an edge of 1.2.
    "flat": Look(1.0, (Lamp(0.0, None, 0.25, 0.36),), None, albedo=0.74, roughness=0.4, specular=0.0),
}


def srgb_to_linear(srgb: Float64[np.ndarray, "*any"]) -> Float64[np.ndarray, "*any"]:
    """Linear RGB of channels in [0, 1], by the inverse of sRGB's transfer function (IEC 61966-2-1:1999, 5.2)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def surroundings(
    look: Look, view: View, center: Float64[np.ndarray, "3"], radius: float, floor: float | None
) -> list[Object]:
    """The ground at the height `floor`, if any, which is the first, and the lamps about a ball of `radius`."""
    objects: list[Object] = []
    if look.ground is not None and floor is not None and view.elevation >= 0:
        objects.append(Plane(center=vector((center[0], center[1], floor)), material=look.ground))
    distance = LAMP_DISTANCE * radius
    for lamp in look.lamps:
        elevation = view.elevation if lamp.elevation is None else lamp.elevation
        towards = np.array(view.direction(lamp.azimuth, elevation))
        half = lamp.half_width * distance
        # A panel of area A that faces what is lit at distance d: irradiance L · A / d², over π.
        radiance = lamp.brightness * math.pi * distance**2 / (4 * half**2)
        red, green, blue = (radiance * channel for channel in lamp.color)
        objects.append(
            Panel(
                center=vector(center + distance * towards),
                half_extents=(half, half),
                rotation=facing(vector(-towards)),
                material=Material(base_color=(0.0, 0.0, 0.0), emission=(red, green, blue)),
            )
        )
    return objects


def camera_axes(view: View) -> Float64[np.ndarray, "3 3"]:
    """World from camera; columns are right, up and backward."""
    return frame(Camera(position=view.to_camera, look_at=(0, 0, 0), up=view.up)).rotation


def half_angles(aspect: float, projection: Projection) -> tuple[float, float]:
    """Half the angles of view, across and up, that are to be filled, in radians; 0 of parallel rays."""
    tangent = 0.0 if projection == "orthographic" else math.tan(math.radians(FOV_DEGREES) / 2) * FILLED
    return math.atan(tangent * aspect), math.atan(tangent)


def fitted_camera(
    view: View,
    positions: Float64[np.ndarray, "balls 3"],
    radii: Float64[np.ndarray, " balls"],
    aspect: float,
    projection: Projection = "perspective",
) -> Camera:
    """The camera about the balls' silhouette."""
    return camera_about(silhouette(view, positions, radii, aspect, projection), view, aspect, projection)


def silhouette(
    view: View,
    positions: Float64[np.ndarray, "balls 3"],
    radii: Float64[np.ndarray, " balls"],
    aspect: float,
    projection: Projection,
) -> Float64[np.ndarray, "6"]:
    """All that a camera of this view must know of balls to be fitted to them; of more balls it is the minimum.

    In the camera's axes, a ball at p of radius r is inside a side of the picture with the inward normal n, seen from c,
    if n · (p − c) ≥ r, or n · c ≤ min(n · p − r) =: m. The first four are m_left, m_right, m_bottom and m_top; then
    come the least p_z and the least −p_z.
    """
    places = positions @ camera_axes(view)
    sides = [
        (sign * math.cos(angle) * places[:, axis] - math.sin(angle) * places[:, 2] - radii).min()
        for axis, angle in enumerate(half_angles(aspect, projection))
        for sign in (1, -1)
    ]
    return np.array([*sides, places[:, 2].min(), (-places[:, 2]).min()])


def camera_about(outline: Float64[np.ndarray, "6"], view: View, aspect: float, projection: Projection) -> Camera:
    """The camera of this view in whose picture all balls are, FILLED of the narrower side wide; see `silhouette`.

    `aspect` is the picture's width over its height.
    """
    make = orthographic_camera if projection == "orthographic" else perspective_camera
    return make(outline, view, aspect)


def perspective_camera(outline: Float64[np.ndarray, "6"], view: View, aspect: float) -> Camera:
    """The nearest one.

    m_left and m_right of the silhouette give c_z ≥ −(m_left + m_right) / (2 sin α), at half the angle of view α, and
    c_x between them; those of bottom and top alike.
    """
    axes, depth, across = camera_axes(view), -math.inf, []
    for axis, angle in enumerate(half_angles(aspect, "perspective")):
        low, high = outline[2 * axis : 2 * axis + 2]
        depth = max(depth, -(low + high) / (2 * math.sin(angle)))
        across.append((low - high) / (2 * math.cos(angle)))
    eye = axes @ np.array([*across, depth])
    middle = (outline[4] - outline[5]) / 2
    return Camera(
        position=vector(eye),
        look_at=vector(eye - (depth - middle) * axes[:, 2]),
        up=view.up,
        vertical_fov_degrees=FOV_DEGREES,
    )


def orthographic_camera(outline: Float64[np.ndarray, "6"], view: View, aspect: float) -> Camera:
    """It stands before the balls by at least their extent, and as far as MAX_EXTENTS of it.

    So its picture's lower edge, seen from `view.elevation` above, begins above the ground.
    """
    axes = camera_axes(view)
    left, bottom, low = outline[::2]
    right, top, high = -outline[1::2]
    extent = float(max(top - bottom, (right - left) / aspect)) / FILLED
    rise = math.tan(math.radians(max(view.elevation, 0.0)))
    away = extent * min(max(1.0, 1.0 / max(rise, 1e-6)), MAX_EXTENTS)
    eye = axes @ np.array([(left + right) / 2, (bottom + top) / 2, high + away])
    look_at = eye - (away + (high - low) / 2) * axes[:, 2]
    return Camera(
        position=vector(eye), look_at=vector(look_at), up=view.up, projection="orthographic", vertical_extent=extent
    )
