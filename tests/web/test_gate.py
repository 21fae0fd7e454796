"""Who may ask what: reads on loopback are free, changes want the token, and no foreign page gets anything done."""

import json

import pytest

from tests.web.conftest import TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_reads_on_loopback_are_free_and_changes_are_not(serve):
    """Who sits at the machine sees the page at once; pressing a button wants the token."""
    port = serve()
    assert port.get("/read").body == b"read"
    refused = port.post("/change")
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Bearer realm="signals"')
    assert port.post("/change", **BEARER).body == b"changed"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "PROPFIND"])
def test_no_method_but_reading_is_free(serve, method):
    """Whatever is not GET, HEAD or OPTIONS counts as a change, on any path."""
    assert serve().ask(method, "/read").status == 401


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"])
def test_what_came_through_a_proxy_is_a_stranger(serve, header):
    """A proxy on this machine asks from loopback for people anywhere."""
    port = serve()
    assert port.get("/read", **{header: "203.0.113.9"}).status == 401
    assert port.get("/read", **{header: "203.0.113.9"}, **BEARER).status == 200


def test_a_service_that_listens_elsewhere_wants_the_token_for_reads(serve):
    """But not for what is open to all: whether it is alive, and the form to log in."""
    port = serve(host="0.0.0.0")
    assert port.get("/read").status == 401
    assert port.get("/read", **BEARER).status == 200
    assert port.get("/read", Cookie=port.log_in()).status == 200
    assert [port.get(path).status for path in ("/alive", "/login")] == [200, 200]


def test_a_wrong_token_is_refused_even_where_none_is_wanted(serve):
    """Whoever sends one believes in it: they should hear that it is wrong."""
    port = serve()
    for given in ("Bearer wrong", "Basic dXNlcjpwYXNz", "Bearer", f"Bearer sha256:{TOKEN}"):
        assert port.get("/read", Authorization=given).status == 401


def test_guessing_is_slowed_down(serve):
    """After ten wrong tokens even the right one has to wait, and is told how long."""
    port = serve()
    statuses = [port.get("/read", Authorization="Bearer wrong").status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    held = port.get("/read", **BEARER)
    assert held.status == 429
    assert 1 <= int(held.headers["retry-after"]) <= 6
    assert port.get("/read").status == 200  # who claims nothing is not held up


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200), ("localhost:{port}", 200), ("[::1]:{port}", 200), ("LOCALHOST", 200),
        ("signals.example", 200), ("rebound.example:{port}", 421), ("127.0.0.1.rebound.example", 421), ("", 421),
        ("[::1", 421), ("localhost.", 421),
    ],
)  # fmt: skip
def test_a_foreign_name_that_points_here_gets_nothing(serve, host, status):
    """DNS rebinding: the page of a name that was turned to 127.0.0.1 reads nothing."""
    port = serve(names=("signals.example",))
    got = port.get("/read", Host=host.format(port=port.port))
    assert got.status == status
    assert status == 200 or got.body != b"read"


class TestSession:
    def test_the_cookie_is_shown_to_no_script_and_to_no_other_site(self, serve):
        """HttpOnly, SameSite=Strict, of this host alone; the token is not in it."""
        port = serve()
        got = port.post("/login", json.dumps({"token": TOKEN}).encode(), Content_Type="application/json")
        cookie = got.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
        assert TOKEN not in cookie

    def test_a_form_logs_in_and_goes_on_to_the_page(self, serve):
        """As a browser without scripts sends it."""
        port = serve()
        form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": port.origin}
        got = port.post("/login", f"token={TOKEN.replace(' ', '+')}".encode(), **form)
        assert (got.status, got.headers["location"]) == (303, "/")
        assert port.post("/login", b"token=wrong", **form).status == 401

    def test_a_session_changes_things_from_our_own_page_only(self, serve):
        """Cookie alone is not enough: Origin must be ours, and the header that no form can send must be there."""
        port = serve()
        cookie = port.log_in()
        ours = {"Cookie": cookie, "Origin": port.origin, "X_Signals": "1"}
        assert port.post("/change", **ours).body == b"changed"
        for wrong in (
            {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": f"http://127.0.0.1:{port.port + 1}"},
            {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
        ):  # fmt: skip
            assert port.post("/change", **ours | wrong).status == 403, wrong
        for missing in ("Origin", "X_Signals"):
            assert port.post("/change", **{k: v for k, v in ours.items() if k != missing}).status == 403
        assert port.post("/change", **ours | {"Cookie": "signals_session=made-up"}).status == 401

    def test_another_page_cannot_even_use_the_token(self, serve):
        """A foreign Origin is refused whatever else is right."""
        assert serve().post("/change", Origin="http://evil.example", **BEARER).status == 403

    def test_logging_out_ends_it(self, serve):
        """The cookie is worth nothing afterwards, wherever it was copied to."""
        port = serve()
        cookie = port.log_in()
        assert port.get("/session", Cookie=cookie).json == {"may_change": True}
        port.post("/logout", Cookie=cookie, Origin=port.origin, X_Signals="1")
        assert port.get("/session", Cookie=cookie).json == {"may_change": False}


def test_every_answer_has_the_headers_that_bind_a_page(serve):
    """Errors too; and the answer to a defect tells nothing of it."""
    port = serve()
    for got in (port.get("/read"), port.get("/nowhere"), port.post("/change"), port.get("/broken")):
        policy = got.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["cache-control"] == "no-store"
        assert got.headers["server"] == "signals"
    assert (got.status, got.error) == (500, "a defect: its traceback is in the log")
