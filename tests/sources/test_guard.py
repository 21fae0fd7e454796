"""What may be connected to."""

import socket

import pytest
from yarl import URL

from signals.sources.guard import DaemonResolver, GuardedConnector, is_private, literal_address, open_session

PRIVATE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1",
)  # fmt: skip
PUBLIC = ("8.8.8.8", "193.0.6.139", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_no_public_host_are_private(address: str) -> None:
    """Loopback, private, link-local, shared, reserved and multicast addresses, also inside IPv6 ones, are private."""
    assert is_private(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not_private(address: str) -> None:
    """A host on the internet may be connected to."""
    assert not is_private(address)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost", "127.0.0.1"), ("LOCALHOST.", "127.0.0.1"), ("a.localhost", "127.0.0.1"), ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"), ("0x7f.0.0.1", "127.0.0.1"), ("::1", "::1"), ("news.example", None),
    ],
)  # fmt: skip
def test_an_address_is_seen_however_it_is_spelled(host: str, address: str | None) -> None:
    """A proxy would understand the old spellings of an address, so the check must too."""
    assert literal_address(host) == address


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://news.example/", "http://proxy.example:3128"), ("https://news.example/", None),
        ("http://intern.example/", None), ("http://127.0.0.1:8000/", None), ("http://localhost/", None),
    ],
)  # fmt: skip
async def test_a_proxy_is_used_for_its_scheme_but_never_for_this_machine(url: str, proxy: str | None) -> None:
    """Proxies go by scheme; `no` and this machine's own addresses go without; SOCKS is not spoken."""
    proxies = {"http": "proxy.example:3128", "https": "socks5://proxy.example", "no": "intern.example"}
    async with open_session(proxies=proxies) as session:
        assert isinstance(session.connector, GuardedConnector)
        found = session.connector.proxy_for(URL(url))
    assert found == (URL(proxy) if proxy else None)


@pytest.mark.asyncio
async def test_the_system_is_asked_for_names() -> None:
    """A name that the system knows gives its addresses; one that cannot be a name is an OSError, as for no address."""
    found = await DaemonResolver().resolve("localhost", 80)
    assert {entry["host"] for entry in found} <= {"127.0.0.1", "::1"}
    assert found[0]["port"] == 80
    with pytest.raises(socket.gaierror):
        await DaemonResolver().resolve("a" * 70)
