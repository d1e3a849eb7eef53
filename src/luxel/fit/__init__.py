"""Derivatives of pictures by every number of a scene."""

from luxel.fit.gradient import differentiable_picture, picture_and_jacobian
from luxel.fit.parameters import leaf_names

__all__ = ["differentiable_picture", "leaf_names", "picture_and_jacobian"]
