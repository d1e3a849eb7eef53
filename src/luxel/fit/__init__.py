"""Derivatives of pictures by every number of a scene, and scenes found from pictures by them."""

from luxel.fit.gradient import differentiable_picture, picture_and_jacobian
from luxel.fit.optimise import Found, fit
from luxel.fit.parameters import leaf_names
from luxel.fit.problem import FitSettings

__all__ = ["FitSettings", "Found", "differentiable_picture", "fit", "leaf_names", "picture_and_jacobian"]
