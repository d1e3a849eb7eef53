"""Where the viewer can be reached."""

import errno
import ipaddress
import socket

from luxel import InputError

PORTS = 100
"""That are tried, from the one asked for on."""


def free_port(host: str, port: int) -> int:
    """The first free port of an address, from `port` on. Raises InputError for an address that is not
    this machine's, and if none is free.

    viser would wait for ever where it can't listen.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + PORTS, 1 << 16)):
        try:
            with socket.create_server((host, candidate), family=family):
                return candidate
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                problem = (error.strerror or str(error)).partition(" (while")[0]
                raise InputError(
                    f"host is {host}: {problem}; give an address of this machine, such as 127.0.0.1"
                ) from error
    raise InputError(f"port is {port}: it and those after it are in use, or not allowed; give another one")


def is_own(host: str) -> bool:
    """Whether this machine alone can reach the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
