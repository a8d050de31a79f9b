"""Was pretraining worth it: the form, the process that it starts, and the page that follows what comes out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtCore import Qt

from core import study, study_process
from core.errors import UserError
from core.i18n import tr
from gui import specimen_store as store
from gui.forms.labelled_files import DEV, TRAIN
from gui.forms.sense_examples import SenseExamples
from gui.views.worth.form import counts_of
from gui.views.worth.page import curves_of, verdict
from gui.widgets.band_curves import BandCurve, BandCurves
from tests.gui.direct_engine import DirectEngine
from tests.gui.real_views import real_windows

# Instead of main.py: makes a result every now and then, and goes on where it stopped.
WORKER = """
import json, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from core.errors import UserError
from core.study import Plan, append_result, read_results, write_plan
words = sys.argv[1:]
folder = Path(words[words.index("--out") + 1])
if "nothing.csv" in " ".join(words):
    sys.exit("The file holds no examples. Choose another.")
plan = Plan(pretrained=words[1], task="classification", counts=(50, 100), seeds=(0, 1), metric="accuracy",
            options={{"task.pooling": "mean", "train.learning_rate": "0.5", "task.train_file": "x"}},
            applies=("pretrained", "scratch", "tfidf", "majority"), warnings=("It stands there twice.",),
            contents={{"train.csv": Path(words[words.index("--train") + 1]).read_text()}})
try:
    write_plan(folder, plan)
except UserError as error:
    sys.exit(f"{{error.message}} {{error.hint}}")
known = {{(row["labels"], row["seed"], row["method"]) for row in read_results(folder)}}
for count, seed, method in plan.jobs():
    if (count, seed, method) in known:
        continue
    while (folder / "hold").exists() and len(read_results(folder)) >= 3:
        time.sleep(0.01)
    value = 0.9 if method == "pretrained" else 0.3 + 0.01 * seed
    append_result(folder, {{"method": method, "labels": count, "seed": seed, "metrics": {{}}, "value": value, "seconds": 1}})
"""


@pytest.fixture
def worker(monkeypatch, tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(WORKER.format(root=str(Path(study.__file__).resolve().parent.parent)), encoding="utf-8")
    monkeypatch.setattr(study_process, "interpreter", lambda: [sys.executable, str(script)])


@pytest.fixture
def view(monkeypatch, worker, make_run, qtbot, tmp_path):
    make_run("pre", "elmo").checkpoint_path(5).mkdir()
    for name in ("train.csv", "dev.csv", "nothing.csv"):
        (tmp_path / name).write_text("text,label\n", encoding="utf-8")
    with real_windows(monkeypatch, DirectEngine) as make:
        view = make("worth").view
        qtbot.waitUntil(lambda: view.form.choice.run is not None)
        yield view
        for folder in study_process.list_studies():
            study_process.stop(folder)


def _fill(view, tmp_path, train="train.csv"):
    view.form.files.set_path(TRAIN, str(tmp_path / train))
    view.form.files.set_path(DEV, str(tmp_path / "dev.csv"))


def _start(view, qtbot, tmp_path, train="train.csv"):
    _fill(view, tmp_path, train)
    qtbot.mouseClick(view.form.go, Qt.MouseButton.LeftButton)
    assert view._stack.currentWidget() is view.page
    return view.page


def test_one_button_runs_it_and_draws_what_comes_out(view, qtbot, tmp_path):
    assert not view.form.go.isEnabled()
    view.form.options.forms["train"].editor("steps").inner.setValue(70)
    view.form.options.forms["task"].editor("pooling").set_value("mean")
    page = _start(view, qtbot, tmp_path)
    qtbot.waitUntil(lambda: page._words.text() == "finished" and not page.stop_button.isVisible(), timeout=15000)
    words = json.loads((page.folder / study_process.COMMAND).read_text(encoding="utf-8"))
    assert words[0] == "worth" and words[words.index("--seeds") + 1] == "3" and "--counts" not in words
    assert {"train.steps=70", "task.pooling=mean"} <= set(words) and not any(word.startswith(("task.labels", "train.seed")) for word in words)
    assert "2 seeds, mean ± standard deviation" in page._options.text()
    assert "The mean" in page._options.text() and "0.5" in page._options.text() and "twice" in page._warning.text()
    curves = {curve.name: curve for curve in page.chart.curves}
    assert len(curves) == 4 and list(curves["Pretrained, finetuned"].mean) == [0.9, 0.9]
    assert list(curves["From scratch"].x) == [50, 100] and curves["From scratch"].spread[0] > 0
    assert "worth it" in page._verdict.text() and not page.stop_button.isVisible() and not page.go_button.isVisible()
    assert page.table.model().rowCount() == 4 and "±" in page.table.model().index(0, 1).data()
    header, rows = page._rows()
    assert len(rows) == 8 and len(rows[0]) == len(header)
    page.setFixedSize(700, 300)  # less than all of it needs
    qtbot.waitUntil(lambda: page._verdict.height() >= page._verdict.heightForWidth(page._verdict.width()) and page.chart.height() >= 200)


def test_it_is_stopped_goes_on_and_is_found_again(view, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(study_process, "new_folder", _held(study_process.new_folder))
    page = _start(view, qtbot, tmp_path)
    qtbot.waitUntil(lambda: "3 of 14" in page._words.text(), timeout=15000)
    qtbot.mouseClick(page.stop_button, Qt.MouseButton.LeftButton)
    assert study_process.pid(page.folder) is None and page._words.text().startswith("stopped at 3")
    folder = page.folder
    view.show_form()
    view._combo.activated.emit(view._combo.findData(str(folder)))
    assert view.page.folder == folder and len(page.chart.curves) == 3
    qtbot.mouseClick(page.go_button, Qt.MouseButton.LeftButton)
    (folder / study_process.LOG).write_text("tfidf\nmajority\n", encoding="utf-8")
    qtbot.mouseClick(page.stop_button, Qt.MouseButton.LeftButton)
    assert page._words.text().startswith("stopped at 3") and page._problem.isHidden(), "who stops it knows why it stands"
    (folder / "hold").unlink()
    qtbot.mouseClick(page.go_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page._words.text() == "finished", timeout=15000)
    assert len((folder / study.RESULTS).read_text(encoding="utf-8").splitlines()) == 14


def test_one_whose_labelled_file_has_changed_does_not_go_on_and_says_why(view, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(study_process, "new_folder", _held(study_process.new_folder))
    page = _start(view, qtbot, tmp_path)
    qtbot.waitUntil(lambda: "3 of 14" in page._words.text(), timeout=15000)
    qtbot.mouseClick(page.stop_button, Qt.MouseButton.LeftButton)
    (page.folder / "hold").unlink()
    (tmp_path / "train.csv").write_text("text,label\na,b\n", encoding="utf-8")
    qtbot.mouseClick(page.go_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "were not made with what train.csv holds now" in page._problem.text(), timeout=15000)
    assert not page._problem.isHidden() and page._words.text().startswith("failed at 3")


def test_an_option_that_is_refused_keeps_it_from_starting(view, tmp_path):
    _fill(view, tmp_path)
    form = view.form.options.forms["train"]
    assert not {"labels", "from_scratch", "seed"} & {*form.names(), *view.form.options.forms["task"].names()}, "the comparison varies them"
    form.editor("seq_len").inner.setValue(100_000)
    assert not view.form.go.isEnabled() and "Sequence length" in form.error_at("seq_len")
    form.editor("seq_len").inner.setValue(64)
    assert view.form.go.isEnabled()


def test_the_changed_options_outlive_another_look(view, qtbot):
    window = view.window()
    view.form.options.forms["train"].editor("learning_rate").inner.setText("0.25")
    view.form.options.forms["train"].changed.emit()
    changed = view.form.options.changes()
    assert changed["train"] == {"learning_rate": 0.25}
    window.switch_theme()
    qtbot.waitUntil(lambda: window.view.form.choice.run is not None)
    assert window.view.form.options.changes() == changed


def _held(new_folder):
    def make(*arguments: Any) -> Path:
        folder = new_folder(*arguments)
        (folder / "hold").touch()
        return folder
    return make


def test_one_that_fails_says_why(view, qtbot, tmp_path):
    page = _start(view, qtbot, tmp_path, "nothing.csv")
    qtbot.waitUntil(lambda: page._problem.isVisible(), timeout=15000)
    assert "no examples" in page._problem.text() and page.go_button.isVisible()


@pytest.mark.parametrize(("last", "problem"), [("RuntimeError: out of memory", "RuntimeError: out of memory"), ("", "")])
def test_one_that_fails_after_some_results_says_why_and_one_that_was_cut_off_gives_no_reason(view, qtbot, tmp_path, monkeypatch, last, problem):
    monkeypatch.setattr(study_process, "new_folder", _held(study_process.new_folder))
    page = _start(view, qtbot, tmp_path)
    qtbot.waitUntil(lambda: "3 of 14" in page._words.text(), timeout=15000)
    log = [tr("{number}/{all}  {method}, {count:,} labels, seed {seed}", number=number, all=14, method="BERT", count=50, seed=0) for number in (3, 4)]
    (page.folder / study_process.LOG).write_text("\n".join([*log, last]), encoding="utf-8")
    psutil.Process(study_process.pid(page.folder)).kill()
    qtbot.waitUntil(lambda: page.go_button.isVisible(), timeout=15000)
    assert page._problem.text() == problem and page._problem.isVisible() == bool(problem) and "3 of 14" in page._words.text()


def test_counts_that_cannot_be_read_keep_it_from_starting(view, qtbot, tmp_path):
    _fill(view, tmp_path)
    assert view.form.go.isEnabled()
    view.form.counts.setText("50, many")
    assert not view.form.go.isEnabled() and view.form._wrong.isVisible()
    view.form.counts.setText("200，50")
    assert view.form.go.isEnabled()


@pytest.mark.parametrize(("text", "counts"), [("", ()), ("50, 200,50", (50, 200)), ("1000、50", (50, 1000)), ("0", None), ("a", None), ("-5", None)])
def test_counts(text, counts):
    assert counts_of(text) == counts


def found(pretrained: list[float], scratch: list[float]) -> dict[str, Any]:
    def point(values: list[float]) -> dict[str, Any]:
        mean = sum(values) / len(values)
        spread = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5 if len(values) > 1 else 0.0
        return {"labels": 50, "mean": mean, "spread": spread, "values": values}
    curves = {"pretrained": [point(pretrained)] if pretrained else [], "scratch": [point(scratch)] if scratch else []}
    return {"metric": "accuracy", "curves": curves, "counts": [50]}


def test_the_verdict_never_claims_more_than_the_spread_allows():
    assert verdict(found([0.8], [])) == "" and "one seed" in verdict(found([0.8], [0.1]))
    assert "is worth it" in verdict(found([0.8, 0.82], [0.5, 0.52])) and "harm" in verdict(found([0.5, 0.52], [0.8, 0.82]))
    beside = found([0.8, 0.82], [0.5, 0.52])
    beside["curves"]["tfidf"] = beside["curves"]["pretrained"]
    assert "n-grams reaches 0.810" in verdict(beside)
    assert "no difference" in verdict(found([0.5, 0.7], [0.45, 0.65]))
    assert [curve.name for curve in curves_of(found([0.8], []))] == ["Pretrained, finetuned"]


def test_a_study_that_is_under_way_is_not_started_twice(worker, tmp_path, own_home):
    folder = study_process.new_folder("elmo", "tagging")
    assert study_process.new_folder("elmo", "tagging") != folder
    with pytest.raises(UserError):
        study_process.start(folder)  # no command
    (folder / study_process.COMMAND).write_text('["pretrain"]', encoding="utf-8")
    with pytest.raises(UserError):
        study_process.start(folder)
    (folder / "hold").touch()
    study_process.start(folder, ["worth", "elmo"])
    with pytest.raises(UserError):
        study_process.start(folder)
    noted = json.loads((folder / study_process.PROCESS).read_text(encoding="utf-8"))
    (folder / study_process.PROCESS).write_text(json.dumps({**noted, "created": noted["created"] + 100}), encoding="utf-8")
    assert study_process.pid(folder) == noted["pid"], "the clock was set"
    study_process.stop(folder)
    assert study_process.pid(folder) is None
    (folder / study_process.PROCESS).write_text('{"pid": 1, "created": 3}', encoding="utf-8")
    assert study_process.pid(folder) is None


def test_bands_and_single_points_are_drawn(qtbot):
    chart = BandCurves("x", "y")
    qtbot.addWidget(chart)
    chart.resize(400, 300)
    chart.show()
    chart.set_curves([BandCurve(name="<a>", colour="#ff0000", x=[50, 100], mean=[0.2, 0.4], spread=[0.1, 0.1], dots=[(50, 0.1)]),
                      BandCurve(name="b", colour="#00ff00", x=[50], mean=[0.3], spread=[0.05]),
                      BandCurve(name="none", colour="#0000ff", x=[], mean=[], spread=[])], [50, 100])
    assert [curve.name for curve in chart.curves] == ["<a>", "b"] and "&lt;a&gt;" in chart._legend.text()
    image = chart.grab().toImage()
    reds = sum(1 for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)
               if (colour := image.pixelColor(x, y)).red() > 240 and 180 < colour.green() < 235 and colour.green() == colour.blue())
    assert reds > 50, "the band"
    chart.set_curves([], [])
    assert not chart.curves


def test_the_comparison_too_takes_the_sentences_of_the_word(view, qtbot):
    [offer] = view.form.findChildren(SenseExamples)
    offer._session.look_at("apple", store.builtin_specimens("apple"))
    qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)
    assert view.form.cards.value == "tagging" and view.form.go.isEnabled()
    assert [Path(view.form.files.path(name)).name for name in (TRAIN, DEV)] == ["apple.conll", "apple-dev.conll"]
