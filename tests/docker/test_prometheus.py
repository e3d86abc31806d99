"""Alert rules and dashboard: they parse, they fire when they should, and they name what exists."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.quality.metrics_told import metrics_in_code
from tests.quality.readme import readme
from tests.quality.sources import ROOT

PROMETHEUS = ROOT / "docker" / "prometheus"
RULES = PROMETHEUS / "rules.yaml"
DASHBOARD = ROOT / "docker" / "grafana" / "schuilnaam.json"
HERE = Path(__file__).parent
UNPACKED = Path(sys.prefix) / "unpacked" / "prometheus" / "usr" / "bin" / "promtool"

OWN = re.compile(r"\bschuilnaam_[a-z_]+")
SELECTOR = re.compile(r"(schuilnaam_[a-z_]+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
OF_PROMETHEUS = {"instance", "job", "le"}
SEVERITIES = {"page", "ticket"}


def promtool(*arguments: str | Path) -> str:
    program = str(UNPACKED) if UNPACKED.exists() else shutil.which("promtool")
    assert program is not None, "make test unpacks Debian's package prometheus"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, Any]]:
    stated = yaml.safe_load(RULES.read_text())
    return [rule for group in stated["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def expressions_of_dashboard() -> Iterator[str]:
    for panel in panels():
        for target in panel.get("targets", ()):
            yield target["expr"]


def metric_of(series: str) -> str:
    """Return the metric of a series: of a histogram's parts the histogram."""
    for part in ("_bucket", "_sum", "_count"):
        if series.removesuffix(part) in metrics_in_code():
            return series.removesuffix(part)
    return series


@pytest.mark.parametrize("expressions", [
    pytest.param([each["expr"] for each in rules()], id="rules"),
    pytest.param(list(expressions_of_dashboard()), id="dashboard"),
])  # fmt: skip
def test_what_is_asked_for_exists(expressions: list[str]) -> None:
    there = metrics_in_code()
    asked = {metric_of(name) for each in expressions for name in OWN.findall(each)}
    assert asked
    assert asked - there.keys() == set()
    for each in expressions:
        for series, selector in SELECTOR.findall(each):
            labels = set(LABEL.findall(selector))
            assert labels - OF_PROMETHEUS <= set(there[metric_of(series)][1]), each


def test_every_metric_is_used() -> None:
    expressions = [each["expr"] for each in rules()] + list(expressions_of_dashboard())
    used = {metric_of(name) for each in expressions for name in OWN.findall(each)}
    assert metrics_in_code().keys() - used == set()


def test_every_alert_says_what_to_do() -> None:
    for each in rules():
        assert each["labels"]["severity"] in SEVERITIES
        told = each["annotations"]
        assert told["summary"].endswith("."), each["alert"]
        assert told["what_to_do"].endswith("."), each["alert"]


def test_commands_and_events_in_what_to_do_exist() -> None:
    told_pages = readme()
    for each in rules():
        told = each["annotations"]["what_to_do"]
        for command in re.findall(r"broker (check|trace|apply|probe|keys \w+)", told):
            assert f"`broker {command}" in told_pages, command
        for event in re.findall(r'"([a-z-]+)"', told):
            assert f"`{event}`" in told_pages, event


def test_rules_and_configuration_are_valid() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", RULES)
    promtool("check", "config", PROMETHEUS / "prometheus.yaml")


@pytest.mark.parametrize("name", ["rules_test.yaml", "rules_of_keys_test.yaml"])
def test_alerts_fire_when_they_should(name: str, tmp_path: Path) -> None:
    """On the rules without annotations: promtool would want each sentence repeated."""
    stated = yaml.safe_load(RULES.read_text())
    for group in stated["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]
    (tmp_path / RULES.name).write_text(yaml.safe_dump(stated))
    tests = yaml.safe_load((HERE / name).read_text()) | {"rule_files": [RULES.name]}
    (tmp_path / name).write_text(yaml.safe_dump(tests))
    assert "SUCCESS" in promtool("test", "rules", tmp_path / name)


def test_every_alert_is_tested_firing_and_silent() -> None:
    fires: dict[bool, set[str]] = {True: set(), False: set()}
    for name in ("rules_test.yaml", "rules_of_keys_test.yaml"):
        for test in yaml.safe_load((HERE / name).read_text())["tests"]:
            for each in test["alert_rule_test"]:
                fires[bool(each["exp_alerts"])].add(each["alertname"])
    assert fires[True] == fires[False] == {each["alert"] for each in rules()}


def test_the_dashboard_can_be_read() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    ids = [each["id"] for each in panels()]
    assert len(set(ids)) == len(ids)
    assert {each["type"] for each in panels()} <= {"row", "stat", "timeseries", "bargauge", "table"}
    for each in panels():
        assert each["title"]
        place = each["gridPos"]
        assert place["x"] + place["w"] <= 24
        if each["type"] != "row":
            assert each["description"]
            assert each["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert dashboard["uid"] == "schuilnaam"
    assert [each["name"] for each in dashboard["templating"]["list"]] == ["datasource"]


def test_expressions_of_the_dashboard_are_valid(tmp_path: Path) -> None:
    """As recording rules, since promtool reads no dashboard."""
    recorded = [
        {"record": f"panel:{number}", "expr": each.replace("$__rate_interval", "5m")}
        for number, each in enumerate(expressions_of_dashboard())
    ]
    file = tmp_path / "dashboard.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in promtool("check", "rules", file)
