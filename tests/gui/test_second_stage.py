"""The second stage as a whole: the real core behind the real views, with an ELMo run of a few thousand numbers on every task."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from core.runs import Run
from core.train import worker
from gui.forms.labelled_files import DEV, TRAIN
from gui.second_stage import task_of
from gui.widgets.tokens import Tokens
from tests.gui.direct_engine import DirectEngine
from tests.gui.real_views import real_windows
from tests.helpers.labelled import KINDS, make_finetune, write_labelled
from tests.helpers.runs import make_run


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("pretrained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEXISCOPE_HOME", str(folder / "home"))
        run = make_run(folder, "elmo", steps=2)
        assert worker.work(run.path) == 0, run.events()[-1]
    return run


@pytest.fixture(scope="module")
def tuned(pretrained, tmp_path_factory) -> dict[str, Run]:
    """A finetuned run of each kind of label."""
    folder, made = tmp_path_factory.mktemp("tuned"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEXISCOPE_HOME", str(folder / "home"))
        for kind in ("classification", "matching", "similarity", "multiple_choice", "tagging", "span"):
            made[kind] = make_finetune(folder, pretrained, kind)
            assert worker.work(made[kind].path) == 0, made[kind].events()[-1]
    return made


@pytest.fixture
def make(monkeypatch):
    with real_windows(monkeypatch, DirectEngine) as found:
        yield found


# all kinds in one test: with torch loaded, looking for what a test has left behind takes longer than the test

def test_every_task_answers_what_is_typed(qtbot, make, tuned):
    window = make("predict")
    for kind, run in tuned.items():
        window.session.add_run(run)
        view = window.view
        view.set_mode(task_of(run))
        panel = view.panels[run.path]
        qtbot.waitUntil(lambda panel=panel: panel._stack.currentIndex() == 1)
        assert panel.blocks and "step 4" in panel._note.text() and not panel.grab().isNull(), kind
        window.session.remove_run(run.path)


def test_every_task_is_measured(qtbot, make, tuned):
    window = make("evaluate")
    for kind, run in tuned.items():
        window.session.add_run(run)
        view, before = window.view, window.view.body
        qtbot.mouseClick(view._measure, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda view=view, before=before: view.body is not before)
        assert "8 examples" in view.body._note.text() and not view.body.grab().isNull(), kind
        qtbot.mouseClick(view.body._pages.button("all"), Qt.MouseButton.LeftButton)
        assert view.body.examples.model().rowCount() == 8, kind
        view.body.examples.choose(0)
        assert view.body._detail.text(), kind
        window.session.remove_run(run.path)


def test_the_form_shows_what_the_model_sees_and_makes_the_run(qtbot, make, monkeypatch, pretrained, tmp_path):
    window = make("train")
    started: list[Run] = []
    monkeypatch.setattr(window.processes, "start", started.append)
    window.session.pretrained = pretrained
    page = window.view._finetune
    for kind in ("entailment", "tagging"):
        window.view.show_finetune()
        page.choose_task(KINDS[kind][0])
        page._seen.clear("")
        page._options.forms["task"].editor("labels").inner.setValue(0)
        page._files.set_path(TRAIN, str(write_labelled(tmp_path, kind)))
        page._files.set_path(DEV, str(write_labelled(tmp_path, kind, count=8, seed=1)))
        qtbot.waitUntil(lambda: page._seen._found is not None and bool(page._seen.findChildren(Tokens)), timeout=20_000)
        assert "24 examples" in page._seen._words.text() and not page._seen.error.isVisible()
        page._options.forms["task"].editor("labels").inner.setValue(12)
        assert page._start.isEnabled()
        qtbot.mouseClick(page._start, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda kind=kind: bool(started) and task_of(started[-1]) == KINDS[kind][0], timeout=20_000)
        assert started[-1].config.task.labels == 12
        assert len((started[-1].path / "train.jsonl").read_text(encoding="utf-8").splitlines()) == 12


def test_a_file_without_labels_is_refused_where_it_was_chosen(qtbot, make, pretrained, tmp_path):
    window = make("train")
    window.session.pretrained = pretrained
    page = window.view._finetune
    page.choose_task("classification")
    (tmp_path / "one.tsv").write_text("text\tlabel\na\tx\nb\tx\n", encoding="utf-8")
    page._files.set_path(TRAIN, str(tmp_path / "one.tsv"))
    page._files.set_path(DEV, str(write_labelled(tmp_path, "classification", count=8, seed=1)))
    qtbot.waitUntil(lambda: not page._seen.error.isHidden())
    assert page._seen.error.text() and not page._start.isEnabled()


def test_the_weights_of_a_real_finetune_are_seen(qtbot, make, tuned):
    window = make("layer_mix")
    run = tuned["tagging"]
    window.session.add_run(run)
    panel = window.view.panels[run.path]
    qtbot.waitUntil(lambda: panel._stack.currentIndex() == 1)
    bars = panel.bars["input"].bars
    assert len(bars) == run.config.model.num_layers + 1 and sum(bar.weight for bar in bars) == pytest.approx(1, abs=1e-4)
    assert Path(run.config.task.pretrained).exists()
