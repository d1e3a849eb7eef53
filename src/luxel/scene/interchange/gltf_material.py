"""Materials as glTF 2.0 has them: metallic-roughness, with KHR_materials_ior, _transmission and _emissive_strength.

glTF's roughness² is the microfacet width α, as Luxel's; its dielectrics of index n reflect ((n − 1) / (n + 1))² at
normal incidence, which is 8 % of Luxel's `specular`; its base colour tints what is transmitted, as Luxel's does.
"""

from typing import Any

from luxel.scene.description import Material
from luxel.scene.interchange.placing import DEFAULT_INDEX_OF_REFRACTION, index_of_refraction, specular_of, triple

IOR, TRANSMISSION = "KHR_materials_ior", "KHR_materials_transmission"
STRENGTH = "KHR_materials_emissive_strength"
EXTENSIONS = (IOR, TRANSMISSION, STRENGTH)
TEXTURES = ("baseColorTexture", "metallicRoughnessTexture")


def material_to_gltf(material: Material, double_sided: bool) -> dict[str, Any]:
    """The entry of `materials`."""
    extensions: dict[str, Any] = {IOR: {"ior": index_of_refraction(material.specular)}}
    made: dict[str, Any] = {
        "pbrMetallicRoughness": {
            "baseColorFactor": [*material.base_color, 1.0],
            "metallicFactor": material.metallic,
            "roughnessFactor": material.roughness,
        },
        "extensions": extensions,
    }
    if material.transmission > 0:
        extensions[TRANSMISSION] = {"transmissionFactor": material.transmission}
    if material.is_emissive:  # factors are at most 1
        strength = max(1.0, *material.emission)
        made["emissiveFactor"] = [channel / strength for channel in material.emission]
        extensions[STRENGTH] = {"emissiveStrength": strength}
    if double_sided:
        made["doubleSided"] = True
    return made


def material_from_gltf(entry: dict[str, Any]) -> tuple[Material, list[str]]:
    """The material, and what of the entry is left out. Raises SceneError for values out of range."""
    pbr, extensions = entry.get("pbrMetallicRoughness", {}), entry.get("extensions", {})
    left_out = [name for name in TEXTURES if name in pbr]
    left_out += [name for name in ("normalTexture", "occlusionTexture", "emissiveTexture") if name in entry]
    left_out += [name for name in extensions if name not in EXTENSIONS]
    *color, alpha = pbr.get("baseColorFactor", (1.0, 1.0, 1.0, 1.0))
    if entry.get("alphaMode", "OPAQUE") != "OPAQUE" and alpha < 1:
        left_out.append(f"an alpha of {alpha:g}")
    strength = float(extensions.get(STRENGTH, {}).get("emissiveStrength", 1.0))
    material = Material(
        base_color=triple(color),
        metallic=float(pbr.get("metallicFactor", 1.0)),
        specular=specular_of(float(extensions.get(IOR, {}).get("ior", DEFAULT_INDEX_OF_REFRACTION))),
        roughness=float(pbr.get("roughnessFactor", 1.0)),
        transmission=float(extensions.get(TRANSMISSION, {}).get("transmissionFactor", 0.0)),
        emission=triple(entry.get("emissiveFactor", (0.0, 0.0, 0.0)), strength),
    )
    return material, left_out
