"""Strata of pixels; that the kernel's pictures are right is tested in `test_integrator` and `test_path`."""

from luxel.trace.path_kernel import strata_of
from luxel.trace.path_moments import CHUNK


def test_strata_leave_four_groups_at_least_and_fill_chunks():
    for spp in (1, 3, 15, 16, 31, 32, 63, 64, 127, 4096):
        columns, rows = strata_of(spp)
        assert columns * rows == 1 or spp >= 4 * columns * rows
        assert CHUNK % (columns * rows) == 0
