"""From points, atoms and files to scenes: `from_points`, `from_ase`, `load_scene`.

from luxel.scene import from_points

scene = from_points(points, colors, look="paper", view="35,20")
"""

import warnings
from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float64
from pydantic import Field

from luxel import InputError, InputWarning
from luxel.configuration import MAX_OBJECTS, Configuration, checker, shortened
from luxel.memory import collection_paused
from luxel.near_words import naming_near_words
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import FOREIGN, Cylinder, Ellipsoid, Object, Scene, Sphere
from luxel.scene.errors import SceneError
from luxel.scene.figures.drawing import DEFAULT_MAP, Drawing, drawing_of
from luxel.scene.figures.looks import (
    LOOKS,
    Look,
    LookName,
    Projection,
    View,
    camera_about,
    silhouette,
    surroundings,
)
from luxel.scene.figures.particles import Particles, Up
from luxel.scene.figures.readers import READERS, is_particle_file, particles_of_atoms, read_particles
from luxel.scene.limits import MAX_LENGTH, MIN_LENGTH
from luxel.scene.placing import facing, vector

MIN_RESOLVED_RADIUS = 1e-6
"""Least radius over the farthest coordinate, which single precision, in which scenes are rendered, still tells."""
SPECK_RADIUS = 2e-4
"""Radius over half of the figure's size below which a particle is a fifth of a pixel wide where all are 1 000 pixels
wide; a million points over a ball's inside have 8e-3, along a line 1e-3."""
FIGURE_RADIUS = 40.0
"""How far a figure reaches in radii of its particles: its lamps stand in it."""
FILE_RADIUS = 10.0
"""Radius of a file's particles in scene units."""
DEFAULT_VIEW = "30,25"

Aspect: TypeAlias = Annotated[float, Field(gt=1e-3, le=1e3)]
check_aspect = checker(Aspect)
FieldValue: TypeAlias = Annotated[float, Field(ge=-1e30, le=1e30)]


@dataclass(frozen=True)
class Figure(Configuration):
    """How particles are shown."""

    look: LookName = "paper"
    """Of points and particles: paper (white, contact shadows), studio, dark or flat (white, lit from the camera, no
    ground)."""
    view: str = DEFAULT_VIEW
    """AZIMUTH,ELEVATION of the camera in degrees, or front, back, left, right, top or bottom."""
    projection: Projection = "perspective"
    """Of the camera: orthographic draws what is as large as large, however far away."""
    up: Up = "z"
    """The file's axis that points upwards."""
    radius: Annotated[float, Field(gt=0, le=1e30)] | None = None
    """Of all particles, in the file's unit; else the file's own, the elements', or half the points' spacing."""
    radius_scale: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Makes all particles larger or smaller."""
    color_by: str | None = None
    """kind, x, y, z or a field of the file, by whose values the particles are coloured."""
    color_map: str = DEFAULT_MAP
    """Of --color-by: the name of a colour map of matplotlib."""
    color_range: tuple[FieldValue, FieldValue] | None = None
    """Of --color-by: the values of the colour map's ends."""
    bonds: bool = False
    """Atoms that are near enough, or particles that the file joins, are joined by bonds."""
    box: bool = True
    """The edges of the periodic box, if there is one."""
    ground: bool = True
    """That of the look, if it has one and the camera is above it."""
    select: str | None = None
    """A part of the particles: "element O,H", "type 2", or indices as in Python: 0:100, ::10."""
    frame: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)] = -1
    """Of a trajectory; negative numbers count from the end."""

    def __post_init__(self) -> None:
        super().__post_init__()
        View.of(self.view)

    def selected(self, particles: Particles) -> Particles:
        """Those of the particles that are selected, z up."""
        return (particles if self.select is None else particles.selected(self.select)).with_up(self.up)

    def drawing(self, particles: Particles) -> Drawing:
        """What is drawn of the particles."""
        return drawing_of(
            self.selected(particles),
            radius=self.radius,
            radius_scale=self.radius_scale,
            color_by=self.color_by,
            color_map=self.color_map,
            color_range=self.color_range,
            bonds=self.bonds,
            box=self.box,
        )


@naming_near_words
def from_points(
    positions: Any,
    colors: Any = None,
    radii: Any = None,
    look: LookName = "paper",
    view: str = DEFAULT_VIEW,
    *,
    semi_axes: Any = None,
    rotations: Any = None,
    radius_scale: float = 1.0,
    projection: Projection = "perspective",
    aspect: float = 1.0,
) -> Scene:
    """A figure of points as spheres, or as ellipsoids if there are `semi_axes`.

    `positions` [n, 3], z up, in any unit, and where they are they stay; `colors` [n, 3] or one for all, sRGB as
    matplotlib has them, in [0, 1] or of 255; `radii` [n] or one number, by default half the
    points' spacing; `semi_axes` [n, 3] along axes turned by the quaternions (w, x, y, z) of `rotations`
    [n, 4]. `aspect` is the width over the height of the picture into which the camera fits them; for look and view see
    `Figure`. Raises InputError, naming the field, the first point that is wrong, its value, and what would be right.
    """
    particles = Particles.of("points", positions, radii=radii, semi_axes=semi_axes, rotations=rotations, colors=colors)
    figure = Figure(look=look, view=view, radius_scale=radius_scale, projection=projection)
    return scene_of(figure.drawing(particles), figure, aspect)


@naming_near_words
def from_ase(
    atoms: Any,
    look: LookName = "paper",
    view: str = DEFAULT_VIEW,
    *,
    bonds: bool = False,
    box: bool = True,
    color_by: str | None = None,
    color_map: str = DEFAULT_MAP,
    radius_scale: float = 1.0,
    projection: Projection = "perspective",
    aspect: float = 1.0,
) -> Scene:
    """A figure of `ase.Atoms`, in Å: covalent radii, Jmol's colours, the box if there is one; see `Figure`.

    With `bonds` atoms are smaller, and joined where they are nearer than their covalent radii and 0.45 Å. Raises
    InputError for what are no atoms, and as `from_points` does.
    """
    if not hasattr(atoms, "arrays") or not hasattr(atoms, "get_chemical_symbols"):
        raise InputError(f"atoms is {shortened(atoms)}, must be ase.Atoms")
    figure = Figure(
        look=look,
        view=view,
        bonds=bonds,
        box=box,
        color_by=color_by,
        color_map=color_map,
        radius_scale=radius_scale,
        projection=projection,
    )
    return scene_of(figure.drawing(particles_of_atoms(atoms, "atoms")), figure, aspect)


def load_scene(path: str | Path, figure: Figure | None = None, aspect: float = 1.0) -> Scene:
    """The scene of a file: a scene in JSON as it stands, or a figure of points or particles (docs/particles.md).

    Particles are moved and scaled to a ball of FILE_RADIUS about the origin, where single precision is best: the
    picture does not tell. Raises InputError, naming the file, also for options of figures that a scene has no use for.
    """
    path, figure = Path(path), figure or Figure()
    if not is_particle_file(path):
        check_no_figure(path, figure)
        try:
            return Scene.load(path)
        except SceneError as error:
            if path.suffix.lower() in ("", ".json", ".safetensors", *FOREIGN) or not path.is_file():
                raise
            raise SceneError(f"{error}; points and particles are told by their endings: {', '.join(READERS)}") from None
    drawing = figure.drawing(read_particles(path, figure.frame))
    offset, factor = to_file_radius(*bounds(drawing))
    moved = moved_to_file_radius(drawing, offset, factor)
    warn_of_specks(drawing, FILE_RADIUS / factor)
    return scene_of(moved, figure, aspect)


def shadow_catcher_of(scene: Scene, look: LookName) -> int | None:
    """The index of a figure's ground if only its shadows are to stay of it without a background: that of `paper`."""
    return 0 if look == "paper" and scene.objects[0].shape == "plane" else None


def to_file_radius(
    low: Float64[np.ndarray, "3"], high: Float64[np.ndarray, "3"]
) -> tuple[Float64[np.ndarray, "3"], float]:
    """The offset and then the factor that make a ball of FILE_RADIUS about the origin of a box's."""
    return -(low + high) / 2, FILE_RADIUS / float(np.linalg.norm(high - low) / 2)


def moved_to_file_radius(drawing: Drawing, offset: Float64[np.ndarray, "3"], factor: float) -> Drawing:
    """The drawing moved and scaled, by `to_file_radius`; raises InputError, in the file's unit, if radii are lost."""
    reach = FILE_RADIUS / factor
    check_resolved(drawing, reach, f"leave it out, or give a --radius of {MIN_RESOLVED_RADIUS * reach:.2g} or more")
    return drawing.moved(offset, factor)


def check_no_figure(path: Path, figure: Figure, given: Collection[str] = ()) -> None:
    """Raise InputError for options of figures beside a file that has no use for them: those not at their defaults.

    Of fields that are `given` the defaults are no better.
    """
    for each in fields(figure):
        if (value := getattr(figure, each.name)) != each.default or each.name in given:
            option = each.name.replace("_", "-")
            raise InputError(f"{path}: --{option} is {value}, but a scene has its own look and camera; leave it out")


def bounds(drawing: Drawing) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """The corners of the box that holds all balls and rods."""
    half = drawing.semi_axes
    if drawing.rotations is not None:
        half = np.sqrt(((rotation_matrix(drawing.rotations) * half[:, None]) ** 2).sum(2))
    rods, radii = drawing.rods, drawing.rods.radii[:, None]
    low = np.concatenate([drawing.positions - half, rods.starts - radii, rods.ends - radii]).min(0)
    high = np.concatenate([drawing.positions + half, rods.starts + radii, rods.ends + radii]).max(0)
    return low, high


class Stage(NamedTuple):
    """What ground, lamps and camera are fitted to: a box, and a silhouette as `looks.silhouette` has it."""

    low: Float64[np.ndarray, "3"]
    high: Float64[np.ndarray, "3"]
    outline: Float64[np.ndarray, "6"]


def stage_of(drawing: Drawing, figure: Figure, aspect: float) -> Stage:
    """The stage of one drawing in a figure's pictures of this width over height."""
    rods = drawing.rods
    outline = silhouette(
        View.of(figure.view),
        np.concatenate([drawing.positions, rods.starts, rods.ends]),
        np.concatenate([drawing.semi_axes.max(1), rods.radii, rods.radii]),
        check_aspect("aspect", aspect),
        figure.projection,
    )
    return Stage(*bounds(drawing), outline)


@collection_paused()
def scene_of(drawing: Drawing, figure: Figure, aspect: float = 1.0, stage: Stage | None = None) -> Scene:
    """The drawing in the figure's look, on a stage or its own, in the drawing's unit."""
    look, view = LOOKS[figure.look], View.of(figure.view)
    low, high, outline = stage or stage_of(drawing, figure, aspect)
    center, radius = (low + high) / 2, float(np.linalg.norm(high - low) / 2)
    check_drawing(drawing, center, radius)
    drawing = drawing.without_copies()
    floor = float(low[2]) if figure.ground else None
    objects = [
        *surroundings(look, view, center, radius, floor),
        *balls_of(drawing, look),
        *rods_of(drawing, look),
    ]
    grey = look.background
    camera = camera_about(outline, view, aspect, figure.projection)
    return Scene(objects=tuple(objects), camera=camera, background=(grey, grey, grey))


def check_drawing(drawing: Drawing, center: Float64[np.ndarray, "3"], radius: float) -> None:
    """Raise InputError for too many objects, and for sizes that a scene or single precision has no room for."""
    source, count = drawing.source, len(drawing.positions) + len(drawing.rods.radii)
    if count > MAX_OBJECTS:
        every = -(-count // MAX_OBJECTS)
        raise InputError(f"{source}: {count} objects, must be at most {MAX_OBJECTS}; take a part: select ::{every}")
    reach = float(np.abs(center).max()) + radius
    check_resolved(drawing, reach, "move their middle to the origin, leave out strays, or make radii larger")
    least = float(drawing.semi_axes.min())
    if reach + FIGURE_RADIUS * radius > MAX_LENGTH or least < MIN_LENGTH:
        raise InputError(
            f"{source}: positions reach {reach:g} from the origin and radii are {least:g} and more, must be at most "
            f"{MAX_LENGTH / (1 + FIGURE_RADIUS):g} and at least {MIN_LENGTH:g} in a scene: give both in another unit"
        )


def check_resolved(drawing: Drawing, reach: float, remedy: str) -> None:
    """Raise InputError for radii that single precision can't tell in a scene that reaches so far, naming a stray."""
    ball = int(drawing.semi_axes.min(1).argmin())
    least = float(drawing.semi_axes[ball].min())
    if least < MIN_RESOLVED_RADIUS * reach:
        raise InputError(
            f"{drawing.source}: {stray_of(drawing)}, too far away for the radius {least:g} of particle {ball}, of "
            f"which it must be at most {1 / MIN_RESOLVED_RADIUS:g} times, as single precision tells no more: {remedy}"
        )


def warn_of_specks(drawing: Drawing, reach: float) -> None:
    """Warn, with InputWarning, of particles most of which a picture of all that reaches so far hardly shows."""
    radius = float(np.median(drawing.semi_axes.max(1)))
    if radius < SPECK_RADIUS * reach:
        warnings.warn(
            f"{drawing.source}: particles of radius {radius:g} hardly show in a picture of all, which is {2 * reach:g} "
            f"wide; {stray_of(drawing)}, the farthest away: leave strays out by --select, or give --radius",
            InputWarning,
            stacklevel=2,
        )


def stray_of(drawing: Drawing) -> str:
    """The particle farthest from most, and where it is."""
    positions = drawing.positions
    far = int(np.abs(positions - np.median(positions, 0)).max(1).argmax())
    return f"positions[{far}] is {shortened(positions[far].tolist())}"


def balls_of(drawing: Drawing, look: Look) -> list[Object]:
    """Spheres and ellipsoids; those of one colour share their material."""
    materials = look.materials(drawing.colors)
    centers, semi_axes = drawing.positions.tolist(), drawing.semi_axes.tolist()
    if drawing.rotations is None and (drawing.semi_axes == drawing.semi_axes[:, :1]).all():
        return [
            Sphere(center=center, radius=radius, material=material)
            for center, (radius, _, _), material in zip(centers, semi_axes, materials, strict=True)
        ]
    identity = [[1.0, 0.0, 0.0, 0.0]] * len(centers)
    rotations = identity if drawing.rotations is None else drawing.rotations.tolist()
    return [
        Ellipsoid(center=center, semi_axes=axes, rotation=rotation, material=material)
        for center, axes, rotation, material in zip(centers, semi_axes, rotations, materials, strict=True)
    ]


def rods_of(drawing: Drawing, look: Look) -> list[Object]:
    """Cylinders."""
    rods, materials = drawing.rods, look.materials(drawing.rods.colors)
    along = rods.ends - rods.starts
    lengths = np.linalg.norm(along, axis=1)
    columns = ((rods.starts + rods.ends) / 2, along / lengths[:, None], rods.radii, lengths)
    return [
        Cylinder(center=center, rotation=facing(vector(axis)), radius=radius, half_height=length / 2, material=material)
        for center, axis, radius, length, material in zip(*(c.tolist() for c in columns), materials, strict=True)
    ]
