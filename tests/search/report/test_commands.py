"""Every command on a report's page works when it is pasted, or the reason why not stands there."""

from __future__ import annotations

import html
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

import shiftadd
from gen.boards import board
from gen.deploy.board_plan import plan_for_board
from gen.plan import plan as plans
from gen.plan.plan import Plan
from gen.planner import planner
from gen.support.devices import device
from gen.support.errors import DoesNotFitError
from model import store
from search.report import commands as page_commands
from search.report.report import report
from shiftadd import cli
from tests.support.paths import DIGITS_HYBRID
from tests.support.report_run import make_run

NETWORK = store.load(DIGITS_HYBRID)


@pytest.fixture(scope="module")
def fitting() -> Plan:
    """Leaves room for the link of an iCEBreaker."""
    return plan_for_board(NETWORK, board("icebreaker"), fps=2000)


@pytest.fixture
def run(tmp_path: Path, fitting: Plan) -> Path:
    """A run in a folder with a blank and a quote in its path; its networks are real."""
    folder = make_run(tmp_path / "my  runs" / "it's one", finalists=3)
    for path in folder.glob("finalists/*"):
        shutil.rmtree(path / "network")
        shutil.copytree(DIGITS_HYBRID, path / "network")
        plans.save(fitting, path / "plan.json")
    return folder


def finalists(run: Path) -> list[Path]:
    return sorted(run.glob("finalists/*"))


def commands(folder: Path) -> list[list[str]]:
    """The words of each command on the page, as a shell takes them."""
    text = report([folder]).page.read_text(encoding="utf-8")
    codes = re.findall(r"<code>(.*?)</code>", text, re.DOTALL)
    plain = (html.unescape(re.sub(r"<[^>]*>", "", code)) for code in codes)
    return [shlex.split(line) for line in plain if line.startswith("shiftadd ")]


def deploys(run: Path) -> dict[str, list[list[str]]]:
    known = [words for words in commands(run) if words[1] == "deploy"]
    return {
        path.name: [words for words in known if words[2] == str(path / "network")]
        for path in finalists(run)
    }


def test_the_grammar_takes_every_command(run: Path) -> None:
    known = commands(run)
    assert {words[1] for words in known} == {"compile", "simulate", "deploy", "report"}
    assert len(known) == 3 * 3 + 1
    for _, *words in known:
        given = vars(cli.parser().parse_args(words))
        for name in ("net", "plan", "build"):
            path = given.get(name)
            if path is not None:
                assert path.exists(), f"{name} of {words}"
                assert path.is_relative_to(run)


def test_a_search_that_has_not_ended_is_gone_on_with(run: Path) -> None:
    head = json.loads((run / "run.json").read_text())
    head["state"] = "running"
    head["request"]["limits"] |= {"max_latency_us": 120.5, "dsps": 4}
    head["request"] |= {"goal": {"name": "smallest", "min_accuracy": 0.9}, "time": "90m"}
    head["request"]["compute"] = "cuda"
    head["space"]["file"] = str(run / "my space.toml")
    (run / "run.json").write_text(json.dumps(head))
    (words,) = [words[1:] for words in commands(run) if words[1] == "search"]
    given = vars(cli.parser().parse_args(words))
    assert given["resume"]
    assert given["out"] == run
    asked = head["request"]
    for name in ("data", "board", "seed", "sampler", "sharing"):
        assert given[name] == asked[name], name
    assert given["space"] == head["space"]["file"]
    assert list(given["kinds"]) == asked["kinds"]
    assert (given["max_latency"], given["dsps"], given["fps"]) == (120.5, 4, None)
    assert {name: given[name] for name in asked["budget"]} == asked["budget"]
    assert (given["goal"], given["min_accuracy"], given["time"]) == ("smallest", 0.9, 5400)
    assert given["device"] == "cuda"


def test_a_page_is_rebuilt_by_its_own_command(run: Path) -> None:
    page = run / "report.html"
    (words,) = [words[1:] for words in commands(run) if words[1] == "report"]
    before = page.read_bytes()
    page.unlink()
    assert shiftadd.main(words) == 0
    assert page.read_bytes() == before


def test_a_plan_with_no_room_for_the_link_is_planned_anew(run: Path) -> None:
    first, *rest = finalists(run)
    plans.save(planner.plan(NETWORK, device("up5k")), first / "plan.json")
    made = deploys(run)
    (words,) = made[first.name]
    assert words[3:] == ["--board", "icebreaker", "--virtual", "--faults", "10000"]
    for other in rest:
        (words,) = made[other.name]
        assert words[5:7] == ["--build", str(other)]
    text = (run / "report.html").read_text()
    assert re.search(r"Planned anew: icebreaker: the plan takes 4,\d+ LUTs, the serial link", text)


def test_a_network_with_no_room_beside_the_link_says_so(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Plan:
        raise DoesNotFitError("does not fit: it is too large")

    first = finalists(run)[0]
    plans.save(planner.plan(NETWORK, device("up5k")), first / "plan.json")
    monkeypatch.setattr(page_commands, "plan_deployable", full)
    made = deploys(run)
    assert made[first.name] == []
    assert all(len(made[other.name]) == 1 for other in finalists(run)[1:])
    text = (run / "report.html").read_text()
    assert "It cannot be deployed to icebreaker: does not fit: it is too large" in text


def test_a_plan_that_cannot_be_read_says_so(run: Path) -> None:
    first = finalists(run)[0]
    (first / "plan.json").write_text("{}")
    assert deploys(run)[first.name] == []
    assert "It cannot be deployed: " in (run / "report.html").read_text()


def test_a_device_without_a_board_says_so(run: Path) -> None:
    head = json.loads((run / "run.json").read_text())
    head["request"]["board"] = head["device"]["name"] = "ice40-lp1k"
    (run / "run.json").write_text(json.dumps(head))
    assert not [words for words in commands(run) if words[1] == "deploy"]
    assert "No board with ice40-lp1k is known to deploy it to." in (run / "report.html").read_text()
