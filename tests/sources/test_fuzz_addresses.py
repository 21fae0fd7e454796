"""Addresses that lead into the network, however they are spelled and whatever leads there: refused unless allowed."""

import aiohttp
import pytest
from yarl import URL

from signals.sources.guard import literal_address, open_session

from .conftest import Site, rss_feed
from .test_fetch import Names, failure

pytestmark = pytest.mark.asyncio

FEED = "<rss version='2.0'><channel><item><title>Yen rises</title></item></channel></rss>"


@pytest.mark.parametrize(
    "target", ["10.0.0.1", "192.168.0.1", "169.254.169.254", "[fd00::1]", "[::ffff:10.0.0.1]", "0", "127.1"]
)
@pytest.mark.parametrize("status", [301, 307])
async def test_a_redirect_into_the_network_is_refused(
    site: Site, session: aiohttp.ClientSession, target: str, status: int
) -> None:
    """However the address is spelled and whatever the redirect's kind; nothing is sent there."""
    site.put("/rss", status=status, Location=f"http://{target}/latest/meta-data/")
    error = await failure(session, rss_feed(site.url("/rss")))
    assert error.reason == "private_address"
    assert error.transient
    assert len(site.requests) == 1


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.7", "192.168.1.1", "100.64.0.1", "0.0.0.0"])
async def test_a_name_that_leads_into_the_network_is_refused(site: Site, address: str) -> None:
    """A redirect to a public name with a private address, as a cloud's metadata service has one."""
    site.put("/rss", status=302, Location="http://metadata.example/computeMetadata/v1/")
    async with open_session(proxies={}, resolver=Names(address)) as session:
        assert (await failure(session, rss_feed(site.url("/rss")))).reason == "private_address"


async def test_a_name_of_which_one_address_is_private_leads_nowhere_private(site: Site) -> None:
    """Of several addresses only the public ones are tried: a private one beside them is never connected to."""
    site.put("/rss", FEED)
    async with open_session(proxies={}, resolver=Names("10.0.0.1 127.0.0.1")) as session:
        error = await failure(session, rss_feed(f"http://two.example:{site.port()}/rss", allow_private=False))
    assert error.reason == "private_address"
    assert not site.requests


@pytest.mark.parametrize("host", ["①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1", "0x7f000001", "017700000001", "127.0.1"])
async def test_an_address_in_odd_letters_is_seen(session: aiohttp.ClientSession, host: str) -> None:
    """What a resolver or proxy would take for an address of this machine is taken for it here."""
    assert literal_address(URL(f"http://{host}/").host or "") == "127.0.0.1"
    assert (await failure(session, rss_feed(f"http://{host}/rss", allow_private=False))).reason == "private_address"
