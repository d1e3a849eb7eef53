"""A box and a ball under a lamp out of view, that fits are of, and where they start."""

from luxel.scene import Box, Camera, Material, Plane, Scene, Sphere

TRUE = Scene(
    objects=(
        Plane(center=(0, 0, -1), material=Material(base_color=(0.5, 0.6, 0.4), specular=0.2, roughness=0.8)),
        Box(
            center=(-0.8, 0.2, -0.4),
            half_extents=(0.5, 0.4, 0.6),
            rotation=(0.92, 0, 0, 0.38),
            material=Material(base_color=(0.7, 0.3, 0.2)),
        ),
        Sphere(center=(0.8, -0.4, -0.3), radius=0.7, material=Material(base_color=(0.2, 0.4, 0.7), roughness=0.3)),
        Sphere(center=(2.5, -3, 4), radius=0.8, material=Material(base_color=(0, 0, 0), emission=(20, 18, 16))),
    ),
    camera=Camera(position=(0, -5, 1.5), look_at=(0, 0, -0.2)),
    background=(0.3, 0.5, 0.7),
)
COLOR, LAMP, CAMERA = "objects[1].material.base_color", "objects[3].center", "camera.position"
START = TRUE.with_material(1, base_color=(0.4, 0.4, 0.4)).with_object(3, center=(1.0, -2.0, 4.5))
FREE = [COLOR, LAMP, CAMERA]
