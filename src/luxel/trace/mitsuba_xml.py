"""A scene as Mitsuba's XML: what `luxel.trace.mitsuba` hands it as a dictionary, for `mitsuba.load_file`.

Emissive ellipsoids, which are meshes there, are PLY files beside the XML, and a sky is a PFM file.
"""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np

from luxel.files.atomic import replacing, write_atomically
from luxel.scene.description import Scene
from luxel.trace.mitsuba import MitsubaTracer, scene_plugin, surface_plugin
from luxel.trace.mitsuba_sky import Plugin

VERSION = "3.0.0"
"""Of the XML's syntax."""
TAGS = ("integrator", "sensor", "sampler", "film", "rfilter", "bsdf", "emitter")
"""Entries of the dictionary whose element has their name; all others are shapes, or EMITTERS."""
EMITTERS = ("constant", "envmap")
"""Types of plugins that light a scene from outside."""
POINTS = ("center", "p0", "p1")


def write_xml(scene: Scene, path: Path, width: int = 512, height: int = 512) -> list[Path]:
    """Write the scene for pictures of this size; all files that were written.

    Raises InputError where the system refuses, and TraceError for an object that Mitsuba cannot make.
    """
    tracer = MitsubaTracer()
    tracer.start()
    root = ET.Element("scene", version=VERSION)
    written = [path]
    for name, value in scene_plugin(scene, width, height, tracer.max_depth).items():
        if name == "type":
            continue
        if not isinstance(value, dict):
            mesh = path.with_name(f"{path.stem}.{name}.ply")
            with replacing(mesh) as partial:
                value.write_ply(str(partial))
            written.append(mesh)
            item = scene.objects[int(name.removeprefix("objects[").removesuffix("]"))]
            value = {"type": "ply", "filename": mesh.name} | surface_plugin(item.material)
        elif "bitmap" in value:
            picture = path.with_name(f"{path.stem}.sky.pfm")
            with replacing(picture) as partial:
                bitmap = value.pop("bitmap")
                bitmap.write(str(partial), bitmap.FileFormat.PFM)
            written.append(picture)
            value["filename"] = picture.name
        _element(root, name, value, is_top=True)
    ET.indent(root)
    write_atomically(path, ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
    return written


def _element(parent: ET.Element, name: str, value: Any, is_top: bool = False) -> None:
    """Add an entry of the dictionary to its parent's element."""
    match value:
        case {"type": "rgb", "value": channels}:
            ET.SubElement(parent, "rgb", name=name, value=_numbers(channels))
        case {"type": "ref", "id": target}:
            ET.SubElement(parent, "ref", id=_identifier(target))
        case dict():
            _plugin(parent, name, value, is_top)
        case str():
            ET.SubElement(parent, "string", name=name, value=value)
        case int():
            ET.SubElement(parent, "integer", name=name, value=str(value))
        case float():
            ET.SubElement(parent, "float", name=name, value=repr(value))
        case list() if name in POINTS:
            ET.SubElement(parent, "point", name=name, value=_numbers(value))
        case _:
            transform = ET.SubElement(parent, "transform", name=name)
            ET.SubElement(transform, "matrix", value=_numbers(np.array(value.matrix).ravel().tolist()))


def _plugin(parent: ET.Element, name: str, value: Plugin, is_top: bool) -> None:
    tag = "emitter" if value["type"] in EMITTERS else name if name in TAGS else "shape"
    element = ET.SubElement(parent, tag, type=value["type"])
    if is_top and tag == "shape":
        element.set("id", _identifier(name))
    for field, entry in value.items():
        if field != "type":
            _element(element, field, entry)


def _numbers(values: list[float]) -> str:
    return ", ".join(map(repr, map(float, values)))


def _identifier(name: str) -> str:
    """`objects[3] group` as objects_3_group."""
    return name.replace("[", "_").replace("]", "").replace(" ", "_")
