"""Derivatives of pictures by every number of a scene, and scenes found from pictures by them."""

from luxel.fit.gradient import differentiable_picture, picture_and_jacobian
from luxel.fit.optimise import FitSettings, Found, fit
from luxel.fit.parameters import leaf_names

__all__ = ["FitSettings", "Found", "differentiable_picture", "fit", "leaf_names", "picture_and_jacobian"]
