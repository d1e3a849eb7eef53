from viewer_scenes import BALL, LAMP, SCENE

from luxel.scene.description import Plane
from luxel.viewer.edits import with_added
from luxel.viewer.picking import picked_object


def test_a_click_is_on_the_first_object_along_its_ray():
    scene = with_added(SCENE, Plane(center=(0, 3, 0), normal=(0, -1, 0)))
    origin = (0.0, -5.0, 0.0)
    assert picked_object(scene, origin, (0.0, 1.0, 0.0)) == BALL
    assert picked_object(scene, origin, (0.16, 1.0, 0.0)) == BALL  # whose rim is at tan(sin⁻¹(0.8 / 5)) = 0.1621
    assert picked_object(scene, origin, (0.164, 1.0, 0.0)) == 2
    assert picked_object(scene, origin, (-3.0, 2.0, 4.0)) == LAMP
    assert picked_object(scene, origin, (0.0, -1.0, 0.0)) is None
