"""What the viewer begins with when it is given nothing."""

from pathlib import Path

from luxel.scene.description import Camera, Material, Plane, Scene, Sphere
from luxel.viewer.document import Document


def new_scene(path: Path) -> Document:
    """A ball on the ground under a lamp, to be saved as this file, or what an earlier viewer left of such a scene.

    If the file is there already, it is opened. Raises InputError as `Document.open` does.
    """
    if path.exists():
        return Document.open(path)
    scene = Scene(
        objects=(
            Plane(center=(0, 0, 0)),
            Sphere(center=(0, 0, 0.5), radius=0.5, material=Material(base_color=(0.8, 0.25, 0.15), roughness=0.3)),
            Sphere(center=(-2, -2, 4), radius=0.5, material=Material(emission=(20, 19, 18))),
        ),
        camera=Camera(position=(0, -5, 2), look_at=(0, 0, 0.5)),
        background=(0.3, 0.35, 0.45),
    )
    document = Document(scene, path)
    document.restore()
    return document
