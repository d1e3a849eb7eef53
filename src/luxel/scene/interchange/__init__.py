"""Scenes in the formats of other programs: glTF and USD in both directions, RenderFormer's to write."""
