"""Which way a chain has gone."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.models.chains import extended_path_id


@wp.kernel(enable_backward=False)
def paths(objects: wp.array[wp.vec3i], lobes: wp.array[wp.vec3i], path: wp.array[int]):
    i = wp.tid()
    number = int(0)
    for k in range(3):
        number = extended_path_id(number, objects[i][k], lobes[i][k] != 0)
    path[i] = number


@pytest.mark.parametrize("device", DEVICES)
def test_ways_by_other_objects_or_lobes_are_told_apart(device):
    """Of a pixel's, which begin at the same object: by any two of 97 more, either reflected or transmitted."""
    second, third, lobes = (axis.ravel() for axis in np.mgrid[:97, :97, :4])
    objects = np.stack([np.full_like(second, 5), second, third], 1).astype(np.int32)
    transmits = np.stack([np.ones_like(lobes), lobes & 1, lobes >> 1], 1).astype(np.int32)
    found = run(paths, objects, transmits, device=device)[0]
    assert len(np.unique(found)) == len(found)
    assert (found != 0).all()
