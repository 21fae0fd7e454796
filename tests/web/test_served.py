"""A real service under a real socket of systemd: up, ready, counted, and gone again."""

import json
import signal
import socket
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from signals.delivery.endpoints import endpoint
from tests.jobs.conftest import ARTICLES, Shell
from tests.jobs.test_serve import serving, until


def fetched(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def ready(url):
    """A service that is starting says 503 until it is ready, and why."""
    try:
        return json.loads(fetched(f"{url}/readyz"))["ready"]
    except urllib.error.HTTPError as error:
        with error:
            told = json.load(error)
        assert (error.code, told["ready"], bool(told["reasons"])) == (503, False, True), told
        return False


def test_a_service_tells_systemd_and_prometheus_how_it_is(tmp_path):
    """READY once it answers, WATCHDOG while it works, STOPPING at its end; the shipped articles are counted."""
    made = Shell(tmp_path, ARTICLES)
    made.env["SIGNALS__JOBS__WATCHDOG__EVERY_S"] = made.env["SIGNALS__JOBS__PUBLISH__EVERY_S"] = "1"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(60)
        made.env["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        with serving(made) as process:
            heard = line.recv(200)
            url = endpoint(made.home, "console")
            assert heard == b"READY=1"
            assert line.recv(200) == b"WATCHDOG=1"
            until(lambda: ready(url))

            def counted():
                families = {one.name: one for one in text_string_to_metric_families(fetched(f"{url}/metrics"))}
                runs = {s.labels["job"]: s.value for s in families["signals_job_runs"].samples if s.value}
                sent = [s.value for s in families["signals_messages_sent"].samples if s.labels["type"] == "headline"]
                return runs.get("watchdog") and sum(sent) and families["signals_model_info"].samples

            until(counted)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        told = b""
        while told != b"STOPPING=1":
            told = line.recv(200)
