"""The reference tracer: Mitsuba 3's path integrator.

Jakob et al., "Mitsuba 3 renderer", 2022. What stands for each shape, exact but for the meshes:

- A sphere is Mitsuba's `sphere`; an ellipsoid is an affine instance of a unit sphere, since `sphere` itself takes no
  non-uniform scale. Where light is emitted, that fails: Mitsuba allows no emitter in an instance, its `ellipsoids`
  primitive can't be sampled as a light and loses its outline to float32 (with semi-axes of 0.02, seen from 5, it is
  out by half its size), and its `sphere`, if it also transmits, samples itself as a light and comes out up to 3 % too
  bright. So emissive ellipsoids, and emissive spheres that transmit, are meshes, true to a hundredth of a pixel (6e-4
  of the semi-axes at 32², 1.4e-4 at 128²), with exact normals at the vertices; one takes 6 or 20 ms to load.
- A box is a `cube`; a cylinder is a `cylinder` and two `disk`s, its caps. Both are tight but for seams of a
  ten-millionth of their size.
- A panel is a `rectangle` or a `disk`, which may be scaled unevenly and is then still sampled right as a light, of a
  `twosided` BSDF; area lights shine on the side of the normal only, with that too.
- Light from outside is an `envmap` and a far `sphere`: `luxel.trace.mitsuba_sky`.
- A plane is a `disk` about the point nearest to the camera; see PLANE_RADIUS.

What Mitsuba is silently wrong about all the same, `luxel.trace.mitsuba_limits` tells.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from jaxtyping import Float32

from luxel import InputError
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import (
    Box,
    Camera,
    Cylinder,
    Ellipsoid,
    Material,
    Object,
    Panel,
    Plane,
    Quaternion,
    Scene,
    Sphere,
    Vector,
    scene_id,
)
from luxel.scene.limits import MAX_LENGTH
from luxel.scene.placing import affine
from luxel.trace.icosphere import icosphere, subdivisions_for
from luxel.trace.mitsuba_sky import Plugin, far_plugins, rgb
from luxel.trace.tracer import Radiance

BATCHES = 16  # independent estimates whose spread gives the variance, on 15 degrees of freedom
BLOCK_SIZE = 32  # fixed, since Mitsuba seeds by block and would choose the size by the number of threads
OUTLINE_ERROR = 0.01  # pixels; of the mesh of an emissive ellipsoid that is as high as the image
PLANE_RADIUS = MAX_LENGTH
"""Radius, in scene units, of the disc that stands for a plane, as far as the camera sees (FAR_CLIP).

Its edge lies 1e-6 radians below the horizon for each unit of the camera's height, a pixel of 1000 being 7e-4 high in a
view of 40°. A bare grey disc of this size under a sky of 1 is as bright as its albedo says at any tilt, as Mitsuba puts
hit points back into a disc's plane; a `rectangle`, two triangles, is up to 34 % too dark from 1e4 on.
"""
NEAR_CLIP = 1e-3  # scene units along the viewing direction, which Mitsuba cannot do without
FAR_CLIP = MAX_LENGTH  # scene units along the viewing direction


class TraceError(InputError):
    """A request that can't be met, or a tracing process that ended."""


@dataclass(frozen=True)
class MitsubaTracer:
    """Mitsuba 3 as a Tracer.

    `max_depth` counts path segments up to the light, as Mitsuba's `path` does: 2 is direct light. `threads`
    0 takes every core; it does not change the images.
    """

    max_depth: int = 6
    variant: str = "scalar_rgb"
    threads: int = 0

    @property
    def renderer(self) -> str:
        """Name, version and variant, for manifests and reports."""
        return f"mitsuba {version('mitsuba')} {self.variant}"

    def trace(
        self,
        scenes: Sequence[Scene],
        width: int,
        height: int,
        spp: int,
        seed: int,
        progress: Callable[[int], object] | None = None,
    ) -> Radiance:
        """Trace every scene with `spp` paths a pixel.

        The mean is that of min(16, spp) batches with seeds of their own, of n_k paths each, as near to equal
        as they go; Σ n_k (x_k − mean)² / (spp (batches − 1)) estimates its variance without bias, on
        batches − 1 degrees of freedom. `progress` is called after every batch with the pixels that it is worth, all
        of an image's together being its size. Raises TraceError if `spp` is less than 1.
        """
        if spp < 1:
            raise TraceError(f"spp is {spp}, must be at least 1")
        self.start()
        images = [self._trace_one(scene, width, height, spp, seed, progress) for scene in scenes]
        mean, variance = (np.stack(arrays) for arrays in zip(*images, strict=True))
        return Radiance(mean, variance, spp)

    def render(
        self, scene: Scene, width: int, height: int, spp: int, seed: int
    ) -> Float32[np.ndarray, "height width 3"]:
        """One image in one call of Mitsuba's, as its users render; nothing is known of its variance."""
        self.start()
        import mitsuba

        loaded = mitsuba.load_dict(scene_plugin(scene, width, height, self.max_depth))
        return np.array(mitsuba.render(loaded, spp=spp, seed=_seed(scene, seed)), np.float32)

    def start(self) -> None:
        """Choose the variant, and how many threads it takes. Raises TraceError for a variant that is not there."""
        import drjit
        import mitsuba

        if self.variant not in mitsuba.variants():
            known = ", ".join(mitsuba.variants())
            raise TraceError(f"Mitsuba has no variant {self.variant!r} here; choose one of {known}")
        mitsuba.set_variant(self.variant)
        mitsuba.set_log_level(mitsuba.LogLevel.Error)
        drjit.set_thread_count(self.threads or os.cpu_count() or 1)

    def _trace_one(
        self,
        scene: Scene,
        width: int,
        height: int,
        spp: int,
        seed: int,
        progress: Callable[[int], object] | None,
    ) -> tuple[Float32[np.ndarray, "height width 3"], Float32[np.ndarray, "height width 3"]]:
        import mitsuba

        loaded = mitsuba.load_dict(scene_plugin(scene, width, height, self.max_depth))
        batches = min(BATCHES, spp)
        paths = np.diff(np.arange(batches + 1) * spp // batches)
        first_seed = _seed(scene, seed)
        mean = np.zeros((height, width, 3))
        spread = np.zeros((height, width, 3))  # Σ n (x − mean)², updated as in Welford 1962
        done = 0
        for batch, count in enumerate(paths.tolist()):
            image = np.array(mitsuba.render(loaded, spp=count, seed=(first_seed + batch) % 2**32), np.float64)
            done += count
            step = image - mean
            mean += step * (count / done)
            spread += count * step * (image - mean)
            if progress is not None:
                progress((batch + 1) * height * width // batches - batch * height * width // batches)
        variance = spread / (spp * (batches - 1)) if batches > 1 else np.full_like(spread, np.inf)
        return mean.astype(np.float32), variance.astype(np.float32)


def scene_plugin(scene: Scene, width: int, height: int, max_depth: int) -> Plugin:
    """The scene as a dictionary for `mitsuba.load_dict`. Raises TraceError, naming an object that cannot be made."""
    plugin: Plugin = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": max_depth, "block_size": BLOCK_SIZE},
        "sensor": _sensor(scene.camera, width, height),
    }
    plugin |= far_plugins(scene)
    for index, item in enumerate(scene.objects):
        name = f"objects[{index}]"
        try:
            plugin |= _shapes(item, name, scene.camera.position, height)
        except RuntimeError as error:  # of a lamp so small, so far out, that single precision leaves it no area
            raise TraceError(f"{name} is nothing that Mitsuba can make ({error}); use --tracer path") from error
    return plugin


def _shapes(item: Object, name: str, camera: Vector, height: int) -> Plugin:
    """What Mitsuba makes of one object; every key starts with `name`."""
    surface = surface_plugin(item.material)
    match item:
        case Sphere() | Ellipsoid():
            return _round(item, name, surface, height)
        case Box():
            return {name: {"type": "cube", "to_world": _to_world(item.center, item.rotation, item.scale)} | surface}
        case Cylinder():
            return _cylinder(item, name, surface)
        case Panel():
            # Of the principled BSDF alone the back would be black.
            surface["bsdf"] = {"type": "twosided", "bsdf": surface["bsdf"]}
            kind = "rectangle" if item.outline == "rectangle" else "disk"
            return {name: {"type": kind, "to_world": _to_world(item.center, item.rotation, item.scale)} | surface}
        case Plane():
            scale = (PLANE_RADIUS, PLANE_RADIUS, 1.0)
            return {name: {"type": "disk", "to_world": _to_world(_foot(camera, item), item.rotation, scale)} | surface}


def surface_plugin(material: Material) -> Plugin:
    """The BSDF, and the emitter if there is light."""
    surface: Plugin = {"bsdf": _bsdf(material)}
    if material.is_emissive:
        surface["emitter"] = {"type": "area", "radiance": rgb(material.emission)}
    return surface


def _round(item: Sphere | Ellipsoid, name: str, surface: Plugin, height: int) -> Plugin:
    """A sphere, an instance of one, or a mesh: see the module's docstring."""
    material = item.material
    if material.is_emissive and (not is_round(item) or material.transmission > 0):
        return {name: _mesh(item, surface, height)}
    if not is_round(item):
        return _instance(item, name, surface)
    return {name: {"type": "sphere", "center": list(item.center), "radius": item.semi_axes[0]} | surface}


def is_round(item: Sphere | Ellipsoid) -> bool:
    """Whether all semi-axes are the same."""
    return len(set(item.semi_axes)) == 1


def _instance(item: Sphere | Ellipsoid, name: str, surface: Plugin) -> Plugin:
    """A unit sphere, and its image under the affine map that makes it the ellipsoid."""
    group = f"{name} group"
    return {
        group: {"type": "shapegroup", "sphere": {"type": "sphere"} | surface},
        name: {
            "type": "instance",
            "to_world": _to_world(item.center, item.rotation, item.scale),
            "group": {"type": "ref", "id": group},
        },
    }


def _cylinder(item: Cylinder, name: str, surface: Plugin) -> Plugin:
    """The side and, as Mitsuba's `cylinder` has none, two caps whose normals point outwards."""
    axis = rotation_matrix(item.rotation)[:, 2] * item.half_height
    bottom, top = (np.array(item.center) - axis).tolist(), (np.array(item.center) + axis).tolist()
    upward = (item.radius, item.radius, 1.0)
    downward = (item.radius, -item.radius, -1.0)  # half a turn about x first
    return {
        name: {"type": "cylinder", "p0": bottom, "p1": top, "radius": item.radius} | surface,
        f"{name} top": {"type": "disk", "to_world": _to_world(top, item.rotation, upward)} | surface,
        f"{name} bottom": {"type": "disk", "to_world": _to_world(bottom, item.rotation, downward)} | surface,
    }


def _foot(point: Vector, plane: Plane) -> list[float]:
    """The point of the plane that is nearest to `point`."""
    normal = rotation_matrix(plane.rotation)[:, 2]
    return (point - normal * (normal @ np.subtract(point, plane.center))).tolist()


def _to_world(center: Sequence[float], rotation: Quaternion, scale: Sequence[float]) -> Any:
    """`mitsuba.ScalarTransform4f` of world = center + R(rotation) · (scale ∘ local)."""
    import mitsuba

    return mitsuba.ScalarTransform4f(affine(rotation_matrix(rotation) * np.array(scale), center).tolist())


def _mesh(item: Sphere | Ellipsoid, surface: Plugin, height: int) -> Any:
    """A `mitsuba.Mesh`: the unit sphere's, fine enough for an image of this height, under the affine map."""
    import mitsuba

    sphere = icosphere(subdivisions_for(OUTLINE_ERROR * 2 / height))
    rotation, semi_axes = rotation_matrix(item.rotation), np.array(item.semi_axes)
    positions = (sphere.normals * sphere.radius * semi_axes) @ rotation.T + np.array(item.center)
    normals = (sphere.normals / semi_axes) @ rotation.T
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    properties = mitsuba.Properties()
    for name, plugin in surface.items():
        properties[name] = mitsuba.load_dict(plugin)
    mesh = mitsuba.Mesh("ellipsoid", len(positions), len(sphere.faces), has_vertex_normals=True, props=properties)
    parameters = mitsuba.traverse(mesh)
    parameters["vertex_positions"] = positions.astype(np.float32).ravel()
    parameters["vertex_normals"] = normals.astype(np.float32).ravel()
    parameters["faces"] = sphere.faces.astype(np.uint32).ravel()
    parameters.update()
    return mesh


def _bsdf(material: Material) -> Plugin:
    plugin = {
        "type": "principled",
        "base_color": rgb(material.base_color),
        "metallic": material.metallic,
        "specular": material.specular,
        "roughness": material.roughness,
    }
    # A dictionary without `spec_trans` spares Mitsuba the transmissive lobe.
    return plugin | ({"spec_trans": material.transmission} if material.transmission > 0 else {})


def _sensor(camera: Camera, width: int, height: int) -> Plugin:
    import mitsuba

    to_world = mitsuba.ScalarTransform4f().look_at(
        origin=list(camera.position), target=list(camera.look_at), up=list(camera.up)
    )
    projection: Plugin = {"type": "perspective", "fov": camera.vertical_fov_degrees, "fov_axis": "y"}
    if camera.vertical_extent is not None:  # Mitsuba's shows [−1, 1] from left to right
        half_width = camera.vertical_extent / 2 * width / height
        projection = {"type": "orthographic"}
        to_world = to_world @ mitsuba.ScalarTransform4f().scale([half_width, half_width, 1.0])
    return {
        **projection,
        "near_clip": NEAR_CLIP,
        "far_clip": FAR_CLIP,
        "to_world": to_world,
        "sampler": {"type": "independent"},
        "film": {
            "type": "hdrfilm",
            "width": width,
            "height": height,
            "rfilter": {"type": "box"},
            "pixel_format": "rgb",
            "component_format": "float32",
        },
    }


def _seed(scene: Scene, seed: int) -> int:
    """Mitsuba's 32-bit seed of a scene's first batch.

    The next batches count on from it, since Mitsuba's streams for consecutive seeds never meet in a pixel,
    whereas hashed ones would: it multiplies seeds by the number of pixels, modulo 2³².
    """
    digest = hashlib.sha256(f"{seed}/{scene_id(scene)}".encode()).digest()
    return int.from_bytes(digest[:4], "little")
