import pytest

from luxel.scene import Material, SceneError
from luxel.scene.interchange.gltf_material import IOR, STRENGTH, TRANSMISSION, material_from_gltf, material_to_gltf

GLASS = Material(base_color=(0.9, 0.8, 0.7), specular=0.5, roughness=0.1, transmission=1.0)
LAMP = Material(base_color=(0.1, 0.2, 0.3), metallic=0.25, emission=(2.0, 8.0, 4.0))


def test_a_lamps_strength_is_its_brightest_channel_and_its_color_the_rest():
    made = material_to_gltf(LAMP, double_sided=False)
    assert made["emissiveFactor"] == [0.25, 1.0, 0.5]
    assert made["extensions"][STRENGTH] == {"emissiveStrength": 8.0}
    assert made["pbrMetallicRoughness"]["baseColorFactor"] == [0.1, 0.2, 0.3, 1.0]
    assert "doubleSided" not in made


def test_4_percent_are_reflected_by_an_index_of_1_and_a_half():
    made = material_to_gltf(GLASS, double_sided=True)
    assert made["extensions"][IOR]["ior"] == pytest.approx(1.5)
    assert made["extensions"][TRANSMISSION] == {"transmissionFactor": 1.0}
    assert made["doubleSided"] is True
    assert "emissiveFactor" not in made


@pytest.mark.parametrize("material", [GLASS, LAMP, Material(emission=(0.1, 0.0, 0.3))])
def test_there_and_back_it_is_the_same(material):
    again, left_out = material_from_gltf(material_to_gltf(material, double_sided=False))
    for name in Material.model_fields:
        assert getattr(again, name) == pytest.approx(getattr(material, name), abs=1e-6), name
    assert left_out == []


def test_an_empty_entry_is_gltfs_defaults():
    material, left_out = material_from_gltf({})
    assert (material.base_color, material.metallic, material.roughness) == ((1, 1, 1), 1, 1)
    assert material.specular == pytest.approx(0.5)
    assert left_out == []


def test_what_luxel_has_not_is_told():
    entry = {
        "pbrMetallicRoughness": {"baseColorFactor": [1.0, 1.0, 1.0, 0.5], "baseColorTexture": {"index": 0}},
        "normalTexture": {"index": 1},
        "alphaMode": "BLEND",
        "extensions": {"KHR_materials_sheen": {}, IOR: {"ior": 1.5}},
    }
    told = ["baseColorTexture", "normalTexture", "KHR_materials_sheen", "an alpha of 0.5"]
    assert material_from_gltf(entry)[1] == told
    assert material_from_gltf({**entry, "alphaMode": "OPAQUE"})[1] == told[:-1]


def test_a_value_out_of_range_is_a_scene_error():
    with pytest.raises(SceneError, match="roughness is 2"):
        material_from_gltf({"pbrMetallicRoughness": {"roughnessFactor": 2.0}})
