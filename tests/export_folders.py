"""Small data sets to export: a scene made by hand, and random ones of both splits."""

from pathlib import Path

from data_folder import write_data_folder

from luxel.data.generate_settings import GenerateSettings, of_folder
from luxel.scene import Spheres
from luxel.scene.description import Box, Camera, Scene, Sphere

# As in test_annotations: at 90° and 40 pixels the focal length is 20 pixels; the cube's near face is at depth 3.
CAMERA = Camera(position=(0, -4, 0), look_at=(0, 0, 0), vertical_fov_degrees=90)
WIDTH, HEIGHT = 60, 40
CUBE = Box(center=(0, 0, 0), half_extents=(1, 1, 1))
BALL, BEHIND = Sphere(center=(0.5, -2, 0), radius=0.4), Sphere(center=(0, -9, 0), radius=1)
SCENE = Scene(camera=CAMERA, objects=(CUBE, BALL, BEHIND), background=(1, 1, 1))


def by_hand_folder(folder: Path) -> Path:
    """A data set of one scene, for training."""
    (folder / "scenes").mkdir()
    SCENE.save(folder / "scenes" / "scene.json")
    settings = of_folder(str(folder / "scenes"), width=WIDTH, height=HEIGHT, spp=2, test_share=0.0)
    return write_data_folder(folder / "data", settings)


def spheres_folder(folder: Path) -> Path:
    """A data set of both splits."""
    settings = GenerateSettings(Spheres(max_objects=3), count=9, seed=3, width=7, height=5, spp=2, test_share=0.3)
    return write_data_folder(folder, settings)
