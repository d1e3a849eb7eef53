"""Every kernel of the package compiles for CUDA on a machine without a GPU, and what it takes of one is known.

NVRTC is in Warp's wheel. What a kernel needs is read from the ELF file that it makes: registers, and the bytes of local
memory a thread needs, be it for vectors with indices that are known only when it runs or for spilt registers.
"""

import ast
import importlib
import pkgutil
import struct
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import warp as wp
from kernels import DEVICES

import luxel

assert DEVICES  # imported first: it initialises Warp

HOPPER = 90
LOCAL_BYTES = {
    "trace_paths": 2176,
    "sample_direct_light": 3200,
    "add_mirrored_lights": 5632,
    "gather_indirect_light": 3584,
    "follow_chains": 2048,
    "merge_ends": 5120,
    "intersect_rays": 64,
    "describe_fragments": 784,
}
"""What is known to need local memory, in bytes at most; all others need none."""


class Needs(NamedTuple):
    """Of a thread."""

    registers: int
    local_bytes: int


def decorated_as_kernels() -> list[tuple[str, str]]:
    """Module and name of each function with `@wp.kernel`, read from the sources."""
    root = Path(luxel.__file__).parent
    found = []
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "@wp.kernel" not in text:  # as in most files, whose trees take each of pytest's processes a second
            continue
        module = ".".join(["luxel", *path.relative_to(root).with_suffix("").parts])
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                marks = [ast.unparse(mark).split("(")[0] for mark in node.decorator_list]
                found += [(module, node.name)] * ("wp.kernel" in marks)
    return found


KERNELS = decorated_as_kernels()
SLOW = ("luxel.models.mirrored_lights", "luxel.models.indirect_light", "luxel.models.specular")
"""Take NVRTC three minutes, one and one and a half, more than all others together.

Much of their code is in `direct_light`, or in the path tracer, too.
"""
MODULES = [
    pytest.param(module, marks=[pytest.mark.slow] * (module in SLOW))
    for module in sorted({module for module, _ in KERNELS})
]


@cache
def needs_of(module: str) -> dict[str, Needs]:
    """Of each kernel of a Python module, by its name, after compiling whatever Warp modules they are in.

    Warp keeps what it compiles in its kernel cache, by a hash of the sources, and compiles only what has changed since:
    all of them take NVRTC minutes.
    """
    kernels = [each for each in vars(importlib.import_module(module)).values() if isinstance(each, wp.Kernel)]
    found: dict[str, Needs] = {}
    for compiled in {kernel.module.name: kernel.module for kernel in kernels}.values():
        (cubin,) = wp.compile_aot_module(compiled, arch=HOPPER, use_ptx=False)
        found |= {name.split("_cuda_kernel_")[0].rsplit("_", 1)[0]: needs for name, needs in read_cubin(cubin).items()}
    return found


def read_cubin(path: Path) -> dict[str, Needs]:
    """Of every kernel in an ELF file of CUDA code, from its section `.nv.info`.

    Its entries are a format, an attribute and a half word; with the format 4 the half word is the length of what
    follows, and with these attributes that is a symbol's number and a value.
    """
    data, minimal_stack, registers = Path(path).read_bytes(), 0x12, 0x2F
    (offset,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names_at = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, offset + number * size) for number in range(count)]
    bodies = [data[header[4] : header[4] + header[5]] for header in headers]

    def text(table: bytes, start: int) -> str:
        return table[start : table.index(b"\0", start)].decode()

    number = {text(bodies[names_at], header[0]): place for place, header in enumerate(headers)}
    symbols, names = bodies[number[".symtab"]], bodies[headers[number[".symtab"]][6]]
    values: dict[str, dict[int, int]] = {}
    info, place = bodies[number[".nv.info"]], 0
    while place < len(info):
        form, attribute, length = struct.unpack_from("<BBH", info, place)
        place += 4
        if form != 4:
            continue
        if attribute in (minimal_stack, registers):
            symbol, value = struct.unpack_from("<II", info, place)
            name = text(names, struct.unpack_from("<I", symbols, 24 * symbol)[0])
            values.setdefault(name, {})[attribute] = value
        place += length
    return {name: Needs(each[registers], each[minimal_stack]) for name, each in values.items() if len(each) == 2}


@pytest.mark.parametrize("module", MODULES)
def test_every_kernel_of_the_module_compiles_for_hopper_within_its_registers(module):
    needs = needs_of(module)
    assert {name for owner, name in KERNELS if owner == module} <= set(needs)
    for name, each in needs.items():
        assert 1 < each.registers <= 255
        assert each.local_bytes <= LOCAL_BYTES.get(name, 0), f"{name}: {each}"


def test_no_kernel_is_made_where_this_does_not_look():
    """In another way than by `@wp.kernel` at the top of a module."""
    seen = set()
    for info in pkgutil.walk_packages(luxel.__path__, "luxel."):
        module = importlib.import_module(info.name)
        for name, each in vars(module).items():
            if isinstance(each, wp.Kernel):
                seen.add((each.func.__module__, name))
    assert seen == set(KERNELS)
    assert ("luxel.trace.path_kernel", "trace_paths") in seen


def test_what_is_known_to_need_local_memory_is_there():
    assert set(LOCAL_BYTES) <= {name for _, name in KERNELS}
