import socket

import pytest

from luxel import InputError
from luxel.viewer.address import free_port, is_own


def test_a_port_in_use_is_passed_over():
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert taken < free_port("127.0.0.1", taken) <= taken + 100


def test_an_address_of_another_machine_is_told():
    with pytest.raises(InputError, match=r"^host is 192\.0\.2\.1: .*; give an address of this machine"):
        free_port("192.0.2.1", 8080)  # of TEST-NET-1, which is nobody's (RFC 5737)


def test_which_addresses_this_machine_alone_can_reach():
    assert [is_own(host) for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "192.0.2.1", "example")] == [
        *(True, True, True),
        *(False, False, False),
    ]
