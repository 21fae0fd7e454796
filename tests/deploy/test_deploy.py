"""What `config/deploy/` ships is valid by its own tools, and speaks of what there is."""

import json
import re
import shutil
import subprocess

import pytest
import yaml
from prometheus_client import CollectorRegistry

from jobs.cli import app as commands
from jobs.gauges import Gauges
from jobs.tally import Tally
from tests.conftest import ROOT

DEPLOY = ROOT / "config" / "deploy"
_NAME = re.compile(r"\b(?:signals|process)_[a-z_]+")


def tool(*command, cwd=DEPLOY):
    """Run a checker; skipped where this machine has none."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


def existing():
    """The names of all metrics, as they are asked for."""
    registry = CollectorRegistry()
    Tally(registry, ["boj"])
    families = [*registry.collect(), *Gauges().describe()]
    of_type = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    ours = {f"{one.name}{suffix}" for one in families for suffix in of_type[one.type]}
    return ours | {"process_cpu_seconds_total", "process_resident_memory_bytes"}


def expressions():
    """Every expression of the dashboard and the rules."""
    board = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    rules = yaml.safe_load((DEPLOY / "prometheus-alerts.yml").read_text())
    yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])
    yield from (rule["expr"] for group in rules["groups"] for rule in group["rules"])


def test_what_dashboard_and_rules_ask_for_exists():
    """A name that nothing gives would show an empty panel, or an alert that never fires."""
    asked = {name for expression in expressions() for name in _NAME.findall(expression)} - {"signals_token"}
    assert asked - existing() == set()
    assert len(asked) > 15


def test_every_metric_of_ours_is_looked_at():
    """What no panel and no rule shows is told to nobody; but for those that are there for questions by hand."""
    asked = {name for expression in expressions() for name in _NAME.findall(expression)}
    families = {re.sub("_(total|bucket|sum|count)$", "", name) for name in existing()}
    shown = {re.sub("_(total|bucket|sum|count)$", "", name) for name in asked}
    by_hand = {
        "signals_source_fetches", "signals_source_failures", "signals_headlines_seen", "signals_headlines_withdrawn",
        "signals_headlines_imported", "signals_messages_sent", "signals_store_read_timestamp_seconds",
        "signals_source_last_new_timestamp_seconds", "signals_job_last_success_timestamp_seconds",
        "signals_job_paused", "signals_channel_last_seq",
    }  # fmt: skip
    assert families - shown == by_hand


def test_panels_say_what_they_show_and_do_not_overlap():
    """Each has an id, a title, a text and a place of its own."""
    panels = json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert panel["description"]
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_rules_are_valid_and_fire_when_they_should():
    """By Prometheus' own checker; every rule stands in the tests."""
    checked = tool("promtool", "check", "rules", "prometheus-alerts.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = tool("promtool", "test", "rules", "prometheus-alerts.test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    names = re.findall(r"alert: (\w+)", (DEPLOY / "prometheus-alerts.yml").read_text())
    cases = (DEPLOY / "prometheus-alerts.test.yml").read_text()
    assert [name for name in names if name not in cases] == []


def test_the_part_of_the_scrape_is_valid():
    """With the rules it names."""
    checked = tool("promtool", "check", "config", "prometheus-scrape.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("unit", ["signals.service", "signals-worker@.service"])
def test_the_unit_is_understood_and_holds_the_service_in(unit):
    """Nothing but the program, which is not there, is found wanting; exposure is low by systemd's own reckoning."""
    verified = tool("systemd-analyze", "verify", "--man=no", unit)
    wanting = [line for line in verified.stderr.splitlines() if unit.partition("@")[0] in line]
    assert [line for line in wanting if "is not executable" not in line] == []
    exposed = tool("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
    assert exposed.returncode == 0, exposed.stdout[-500:]


def test_the_unit_calls_a_command_that_there_is():
    """`signals --config FILE serve`, and the minder's exit code of a setting that cannot be used."""
    unit = (DEPLOY / "signals.service").read_text()
    workers = (DEPLOY / "signals-worker@.service").read_text()
    assert re.search(r"^ExecStart=\S+/signals --config \S+ work --processes %i$", workers, re.MULTILINE)
    assert "work" in {command.name for command in commands.registered_commands}
    assert re.search(r"^ExecStart=\S+/signals --config \S+ serve$", unit, re.MULTILINE)
    assert "serve" in {command.name for command in commands.registered_commands}
    assert "RestartPreventExitStatus=2" in unit


class TestCompose:
    COMPOSE = yaml.safe_load((DEPLOY / "compose.yml").read_text())

    def test_nothing_listens_to_others_and_nothing_is_privileged(self):
        """Ports on loopback, roots read-only, no capabilities but one, images of a stated version."""
        for name, service in self.COMPOSE["services"].items():
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
            assert re.search(r":v?\d", service["image"]), name

    def test_what_is_named_is_there(self):
        """Volumes, files of this folder, and the services that others wait for."""
        services, volumes = self.COMPOSE["services"], self.COMPOSE["volumes"]
        for service in services.values():
            for source, _, _ in (volume.partition(":") for volume in service.get("volumes", ())):
                assert source in volumes or (DEPLOY / source).exists(), source
            assert set(service.get("depends_on", ())) <= services.keys()

    def test_no_secret_stands_in_it(self):
        """They come from the environment, and it does not start without them."""
        text = (DEPLOY / "compose.yml").read_text()
        given: list[str] = re.findall(r"\b[A-Z_]*(?:PASSWORD|TOKEN): (\S.*)", text)
        assert len(given) >= 4
        assert all("${" in value and ":?" in value for value in given), given

    def test_the_scrape_it_makes_is_valid(self, tmp_path):
        """The same words of sed, on this machine."""
        script = self.COMPOSE["services"]["prometheus"]["command"][0].replace("$$", "$")
        script = script[: script.index("exec ")].replace("/tmp/", f"{tmp_path}/").replace("/deploy/", f"{DEPLOY}/")
        subprocess.run(["sh", "-euc", script], env={"SIGNALS_TOKEN": "t", "PATH": "/usr/bin:/bin"}, check=True)
        made = yaml.safe_load((tmp_path / "prometheus.yml").read_text())["scrape_configs"][0]
        assert made["static_configs"] == [{"targets": ["signals:8080"]}]
        assert made["authorization"] == {"credentials_file": f"{tmp_path}/token"}

    def test_the_users_it_makes_are_whole(self, tmp_path):
        """No placeholder is left, and each password's hash is in its own line."""
        script = self.COMPOSE["services"]["valkey"]["command"][2].replace("$$", "$")
        script = script[: script.index("exec ")].replace("/tmp/", f"{tmp_path}/").replace("/acl/", f"{DEPLOY}/")
        passwords = {"PUBLISHER_PASSWORD": "one", "BOT_PASSWORD": "two"}
        subprocess.run(["sh", "-euc", script], env=passwords | {"PATH": "/usr/bin:/bin"}, check=True)
        users = [line for line in (tmp_path / "acl.conf").read_text().splitlines() if line.startswith("user ")]
        assert not any("-SHA256" in line for line in users)
        hashes = {line.split()[1]: re.findall("#([0-9a-f]{64})", line) for line in users}
        assert hashes["bot"] == ["3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"]
        assert hashes["publisher"] == ["7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"]
