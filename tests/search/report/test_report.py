"""The page of a search: right figures, whatever state its run is in, and nothing from outside."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gen.flow.slowest_path import SlowestPath
from search.report.report import report
from search.results.results import COLUMNS, Costs, RunError, by_cost, front
from search.results.results_files import load
from sim.verify.evidence import BARE
from sim.verify.fault_counts import FaultCounts, FaultScenario, FrameCounts
from tests.support.command_line import call
from tests.support.finalists import finalist
from tests.support.report_run import make_run

IDENTITY = {"network_hash": "0" * 64, "device": "ice40-up5k"}
PLAN = {"plan": "1" * 64}
"""Of evidence."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "hybrid")


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "hybrid"))


class PageParser(HTMLParser):
    """Counts elements, checks that they nest, and keeps every address and all visible text."""

    VOID = ("meta", "br", "path")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data

    def of(self, tag: str, cls: str = "") -> list[dict[str, str | None]]:
        return [
            a
            for t, a in self.elements
            if t == tag and (not cls or cls in (a.get("class") or "").split())
        ]


def page(folder: Path) -> PageParser:
    return PageParser(report([folder]).page.read_text(encoding="utf-8"))


def test_page_needs_no_other_file(run: Path) -> None:
    text = report([run]).page.read_text(encoding="utf-8")
    for tag, attributes in PageParser(text).elements:
        assert tag not in ("link", "iframe", "object", "img")
        assert not ({"src", "xlink:href"} & set(attributes))
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"url\(|@import|https?://|fetch\(", text)


def test_same_files_give_the_same_page(run: Path) -> None:
    first = report([run]).page.read_bytes()
    assert report([run]).page.read_bytes() == first


def test_every_finalist_is_drawn(run: Path) -> None:
    whole, html = load(run), page(run)
    verified = [f for f in whole.finalists if f.verified]
    failed = [f for f in whole.finalists if f.error]
    assert verified
    assert failed
    assert len(html.of("article", "card")) == len(whole.finalists)
    pieces = sum(len([b for b in f.arch.blocks if b.weighted]) for f in whole.finalists if f.arch)
    assert len(html.of("span", "layer")) == pieces
    marks = [a for a in html.of("g", "mark") if a.get("data-group")]
    assert len(marks) == 3 * len(verified) + 4 * len(verified), "three trade-offs, four predictions"
    assert failed[0].error in html.text
    bars = [a for a in html.of("u") if a.get("title")]
    assert len(bars) == 4 * len(verified)


def test_figures_of_the_table_are_those_measured(run: Path) -> None:
    best = load(run).front[0]
    text = page(run).text
    assert best.measured.lut is not None
    assert best.measured.latency_us is not None
    for shown in (f"{best.measured.lut:,.0f}", f"{best.measured.latency_us:,.1f}", best.key):
        assert shown in text


def test_power_stands_beside_energy_with_what_is_known_of_it(run: Path) -> None:
    best = load(run).front[0]
    text, measured = page(run).text, best.measured
    assert measured.idle_uw is not None
    assert measured.inferences_per_s is not None
    most = measured.energy_nj * measured.inferences_per_s / 1e3  # type: ignore[operator]
    at_30 = measured.power_uw(30)
    assert at_30 is not None
    assert measured.idle_uw < at_30 < most
    assert f"{at_30:,.0f} µW at 30 images/s, {most:,.0f} µW at full rate" in text
    assert "static power, clock tree measured; toggles, glitches, multipliers fitted" in text


def test_slowest_path_and_spread_over_seeds_are_shown(run: Path) -> None:
    best = load(run).front[0]
    path = best.folder / "report.json"
    slowest = SlowestPath("weight ROM of <a>", "adder tree of b", 6.8, 0.7, "a.bank0_Q", "b.sum_Q")
    seeds = [{"seed": 1, "fmax_mhz": 40.0}, {"seed": 2, "fmax_mhz": 44.0}]
    report = json.loads(path.read_text()) | {"seeds": seeds, "slowest_path": asdict(slowest)}
    path.write_text(json.dumps(report))
    text = page(run).text
    assert "Clock over 2 seeds: mean 42.0, least 40.0, most 44.0 MHz" in text
    assert f"Slowest path: {slowest}" in text
    path.write_text(json.dumps(report | {"slowest_path": {"start": "weight ROM"}}))
    with pytest.raises(RunError, match="slowest_path"):
        load(run)


def test_proofs_below_rtl_are_shown(run: Path) -> None:
    best = load(run).front[0]
    proven = PLAN | {"ok": True, "images": 31, "mismatches": 0, "what": "read back"}
    differs = proven | {"ok": False, "mismatches": 3, "what": f"read back; {BARE}"}
    evidence = IDENTITY | {"levels": {"rtl": proven, "netlist": proven, "bitstream": differs}}
    (best.folder / "evidence.json").write_text(json.dumps(evidence))
    shown = " ".join(page(run).text.split())
    rtl = f"rtl {best.images - best.mismatches} of {best.images}"
    assert f"golden model: {rtl}, netlist 31 of 31, bitstream 28 of 31 ({BARE})" in shown


def test_faults_of_the_virtual_board_are_shown(run: Path) -> None:
    best = load(run).front[0]
    noise = FrameCounts(sent=700, damaged=690, refused=20, good=150)
    cut = FrameCounts(sent=300, damaged=300, good=61, wrong=2)
    tried = FaultCounts(
        0, 9.0, {"noise": noise, "cut": cut}, {"cable": FaultScenario(10, 9)}, "cut: bad"
    )
    faults = PLAN | {"board": "icebreaker"} | tried.as_dict()
    evidence = IDENTITY | {"levels": {}, "faults": faults}
    (best.folder / "evidence.json").write_text(json.dumps(evidence))
    shown = page(run)
    text = " ".join(shown.text.split())
    assert "1,000 malformed frames between 211 good requests: 2 wrong answers, 0 lost" in text
    assert "(cut: bad)" in text
    assert "cable 9 of 10" in text
    assert len(shown.of("div", "faults")) == 1
    assert len(shown.of("p", "harm")) == len(shown.of("td", "harm")) == 1
    assert [a["style"] for a in shown.of("i", "refused") if "style" in a] == [
        "left:97.2%;width:2.8%",
        "left:42.3%;width:0.0%",
    ]


def test_front_files_hold_the_front(run: Path) -> None:
    report([run])
    rows = json.loads((run / "front.json").read_text())["points"]
    assert [row["key"] for row in rows] == [f.key for f in load(run).front]
    assert all(tuple(row) == COLUMNS for row in rows)
    with (run / "front.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["lut"]) for row in table] == [row["lut"] for row in rows]


def test_front_is_what_nothing_beats() -> None:
    best, small, quick = finalist(0.9, 100, 9), finalist(0.8, 50, 9), finalist(0.8, 100, 5)
    dominated, twin = finalist(0.8, 60, 9), finalist(0.9, 100, 9)
    wrong = finalist(0.99, 1, 1, mismatches=1)
    failed = finalist(0.99, 1, 1, error="does not fit")
    unknown = finalist(0.99, 1, 1, measured=Costs(lut=1.0))
    points = [dominated, quick, small, best, twin, wrong, failed, unknown]
    assert front(points) == [best, twin, quick, small]
    assert by_cost(front(points), "lut") == [(50, 0.8), (100, 0.9)]
    assert by_cost(front(points), "latency_us") == [(5, 0.8), (9, 0.9)]


def _only_begun(run: Path) -> None:
    for path in run.glob("*"):
        if path.name != "run.json":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    head = {"format": "shiftadd-run", "version": 2, "state": "running", "request": {"data": "d"}}
    (run / "run.json").write_text(json.dumps(head))


def _no_finalist(run: Path) -> None:
    for path in (run / "finalists").glob("*/finalist.json"):
        path.unlink()


def _no_supernet(run: Path) -> None:
    (run / "supernet.json").unlink()


def _no_architecture(run: Path) -> None:
    for path in (run / "finalists").glob("*/arch.json"):
        path.write_text("{}")


def test_torn_last_line_is_left_out(run: Path) -> None:
    whole = load(run).points
    with (run / "candidates.jsonl").open("a") as file:
        file.write('{"key": "3fa2')
    assert load(run).points == whole


def test_point_counts_once_as_scored_last(run: Path) -> None:
    path = run / "candidates.jsonl"
    row = json.loads(path.read_text().splitlines()[0])
    row["predicted"]["lut"] = 7
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")
    points = [p for p in load(run).points if p.key == row["key"]]
    assert [p.predicted.lut for p in points] == [7]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (_only_begun, "There is nothing to plot yet."),
        (_no_finalist, "No network has been placed, routed and proven yet."),
        (_no_finalist, "0 finalists measured, 9 begun"),
        (_no_supernet, "No training curve is on record"),
        (_no_supernet, "No histograms of the weights are on record."),
        (_no_architecture, "Its architecture is not on record."),
    ],
)
def test_missing_parts_leave_a_note(run: Path, change: Callable[[Path], None], note: str) -> None:
    change(run)
    assert note in page(run).text


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("run.json", "{", "run.json: not JSON"),
        ("run.json", "[]", "run.json: not of format"),
        ("run.json", '{"format": "other"}', "run.json: not of format 'shiftadd-run'"),
        ("run.json", '{"format": "shiftadd-run", "version": 9}', "version 9 is not 2"),
        ("run.json", '{"format": "shiftadd-run", "version": 2}', "missing required field state"),
        (
            "run.json",
            '{"format": "shiftadd-run", "version": 2, "state": "", "request": {"limits": [1]}}',
            "run.json: $.request.limits: Expected object | null, got array",
        ),
        ("candidates.jsonl", '{}\n{"key": 1}\n', "candidates.jsonl: line 1 is damaged"),
        (
            "supernet.json",
            '{"histograms": {"add": {"counts": [1]}}}',
            "1 counts needs rising edges",
        ),
        ("supernet.json", '{"histograms": {"add": {"counts": [1], "edges": [0]}}}', "1 counts"),
        ("rounds.json", "[3]", "rounds.json: $[0]: Expected object, got int"),
        ("finalists/x/finalist.json", "{}", "finalist.json: $: Object missing required field key"),
    ],
)
def test_damaged_run_is_one_line(
    run: Path, name: str, text: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).write_text(text)
    status, out, err = call(capsys, "report", run)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert line in err
    assert not (run / "report.html").exists(), "nothing half-written"


def test_folder_without_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = call(capsys, "report", tmp_path / "nowhere")
    assert status == 2
    assert "nowhere: no run.json; give a folder that" in err


def test_runs_are_compared_on_one_page(
    made: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folders = [made, *(make_run(tmp_path / kind, kinds=[kind]) for kind in ("mult", "add"))]
    folders.append(make_run(tmp_path / "random", sampler="random", seed=3))
    out = tmp_path / "all.html"
    status, said, _ = call(capsys, "report", *folders, "--out", out, "--json")
    assert status == 0
    answer = json.loads(said)
    assert answer["report"] == str(out)
    assert [row["folder"] for row in answer["runs"]] == [str(f) for f in folders]
    shown = PageParser(out.read_text(encoding="utf-8"))
    assert len(shown.of("details")) == 4
    for name in ("hybrid", "all mult", "all add", "random"):
        assert name in shown.text
    assert "Hypervolume of the measured fronts" in shown.text
    assert "By the test images, which no choice has seen: " in shown.text


def test_hypervolume_by_test_is_not_told_of_runs_that_lack_it(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_run(tmp_path / "mult", kinds=["mult"])
    for path in other.glob("finalists/*/finalist.json"):
        row = json.loads(path.read_text())
        row["accuracy"]["test"] = None
        path.write_text(json.dumps(row))
    out = tmp_path / "both.html"
    status, *_ = call(capsys, "report", made, other, "--out", out)
    assert status == 0
    shown = PageParser(out.read_text(encoding="utf-8"))
    assert "Hypervolume of the measured fronts" in shown.text
    assert "By the test images" not in shown.text


def test_unlike_runs_are_not_compared(made: Path, run: Path) -> None:
    head = json.loads((run / "run.json").read_text())
    head["device"]["name"] = "lfe5u-25f"
    (run / "run.json").write_text(json.dumps(head))
    with pytest.raises(RunError, match=r"its device is lfe5u-25f, that of .* ice40-up5k; compare"):
        report([made, run])


DATA: dict[str, Any] = {
    "name": "bars", "source": "/bars.npz", "digest": "ab" * 32, "table": False, "train": 256,
    "test": 128, "shape": [6, 6, 1], "bits": 4, "low": 0, "high": 15, "unbalanced": True,
    "majority": 0.75, "flips": False, "features": [], "notes": ["12 palettes became grey"],
    "classes": [
        {"name": "flat", "train": 224, "test": 96}, {"name": "tall", "train": 32, "test": 32},
    ],
    "augmentation": {"shift": 1, "flips": True},
}  # fmt: skip


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_data_stand_on_the_page(run: Path) -> None:
    assert "The data" not in page(run).text, "an older run does not say"
    change(run / "run.json", data=DATA)
    shown = " ".join(page(run).text.split())
    for words in (
        "256 to train and validate, 128 to test", "6 × 6 × 1", "0 to 15, 4 bits", "12 palettes",
        "moved by up to 1 pixel, half of them mirrored", "flat22496", "abababababab",
        "unbalanced: always the largest is right in 75.0 % of the test part",
    ):  # fmt: skip
        assert words in shown
    change(run / "run.json", data={"name": "bars", "digest": "ab"})
    assert "The data" not in page(run).text


def test_test_images_stand_by_class(run: Path) -> None:
    best = load(run).front[0]
    assert not page(run).of("table", "confusion"), "an older run does not say"
    matrix = {"classes": ["flat", "tall", "none"], "counts": [[90, 6, 0], [2, 30, 0], [0, 0, 0]]}
    change(best.folder / "finalist.json", confusion=matrix)
    shown = page(run)
    assert len(shown.of("table", "confusion")) == 1
    text = " ".join(shown.text.split())
    assert "least right are flat (93.8 %), tall (93.8 %)" in text
    assert "flat906·93.8tall230·93.8none···–" in text.replace(" ", "")
    change(best.folder / "finalist.json", confusion=matrix | {"counts": [[1]]})
    with pytest.raises(RunError, match="confusion of 3 classes needs so many rows and columns"):
        page(run)


def test_the_answer_leads_with_what_chance_leaves_open(run: Path) -> None:
    best = load(run).front[0]
    matrix = {"classes": ["a", "b"], "counts": [[45, 5], [5, 45]]}
    accuracy = {"validation": best.validation, "test": 0.9}
    change(best.folder / "finalist.json", confusion=matrix, accuracy=accuracy)
    text = " ".join(page(run).text.split())
    answer, size = text.find(f"Most accurate that fits: {best.key}"), text.find("A front of ")
    assert 0 <= answer < size
    assert "90.0 % of 100 test images (82.6 to 94.5 with 95 %)" in text
    assert "90.0 % test (82.6 to 94.5 with 95 %)" in text, "on its card"


def test_what_was_planned_for_a_time_stands_as_its_budget(run: Path) -> None:
    change(run / "run.json", plan={"population": 7, "trained": 123})
    assert "population 7, trained 123" in " ".join(page(run).text.split())


def test_limits_stand_beside_what_was_measured(run: Path) -> None:
    good, bad = load(run).front[:2]
    latency = good.measured.latency_us
    promise = {"name": "max_latency_us", "asked": 500, "measured": latency, "met": True}
    change(good.folder / "finalist.json", promises=[promise])
    promise |= {"measured": 612.25, "met": False}
    said = "--max-latency 500us missed: 612.2 µs"
    change(bad.folder / "finalist.json", promises=[promise], error=said)
    shown = " ".join(page(run).text.split())
    assert "Limits kept, as measured: --max-latency 500us met:" in shown
    assert f"Beyond its limits: {said}" in shown
    assert bad.key not in [one.key for one in load(run).front]
    change(bad.folder / "finalist.json", promises=[promise | {"name": "speed"}])
    with pytest.raises(RunError, match=r"finalist.json: promise .*speed.* is of no limit"):
        page(run)


NASTY = "<script>alert(1)</script><b zz=\"'&amp;"


def test_texts_of_others_are_escaped_wherever_they_stand(run: Path) -> None:
    head = json.loads((run / "run.json").read_text())
    head["request"] |= {"sharing": NASTY, "data": NASTY, "sampler": NASTY}
    head["state"], head["seconds"] = "running", {NASTY: 1.0}
    head["space"]["name"], head["supernet"]["hash"] = NASTY, NASTY
    head["data"] = DATA | {"name": NASTY, "notes": [NASTY], "classes": [
        {"name": NASTY, "train": 1, "test": 1}]}  # fmt: skip
    (run / "run.json").write_text(json.dumps(head))
    best = load(run).front[0]
    matrix = {"classes": [NASTY, "b"], "counts": [[1, 2], [3, 4]]}
    change(best.folder / "finalist.json", confusion=matrix, kinds=[NASTY], error=NASTY)
    change(best.folder / "report.json", tools=[NASTY])
    level = PLAN | {"ok": True, "images": 31, "mismatches": 0, "what": NASTY}
    (best.folder / "evidence.json").write_text(json.dumps(IDENTITY | {"levels": {NASTY: level}}))
    text = report([run]).page.read_text(encoding="utf-8")
    shown = PageParser(text)
    assert len(shown.of("script")) == 2
    assert NASTY not in text
    assert shown.text.count("alert(1)") >= 10
    assert all("zz" not in attributes for _, attributes in shown.elements)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e308", "NaN", "Infinity", "1" * 400])
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("run.json", ("seconds", "supernet")),
        ("finalist.json", ("measured", "latency_us")),
        ("finalist.json", ("accuracy", "validation")),
        ("finalist.json", ("predicted", "lut")),
        ("supernet.json", ("histograms", "add", "counts", 0)),
        ("supernet.json", ("curve", 0, "loss")),
        ("rounds.json", (0, "lut_error")),
    ],
)
def test_numbers_that_are_none_are_refused_in_one_line(
    number: str, name: str, path: tuple[Any, ...], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = next(run.rglob(name))
    whole = at = json.loads(file.read_text())
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = "HERE"
    file.write_text(json.dumps(whole).replace('"HERE"', number))
    status, out, err = call(capsys, "report", run)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert name in err


def test_names_are_escaped(run: Path) -> None:
    head = json.loads((run / "run.json").read_text())
    head["request"]["data"] = "<script>alert(1)</script>"
    (run / "run.json").write_text(json.dumps(head))
    assert len(page(run).of("script")) == 2
