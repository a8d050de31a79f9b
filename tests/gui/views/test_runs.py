"""The view of the runs: what it lists, what can be done with a run, and the curves of those that are chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget

from core import events, i18n, trash
from core.exchange import pack, shipped
from core.runs import ORIGIN, Run
from core.sizes import MIB
from core.tasks.config import build_finetune
from gui import theme
from gui.jobs import Jobs
from gui.messages import Messages, Toast
from gui.run_process import Processes
from gui.run_queue import queue_of
from gui.run_watcher import RunWatcher
from gui.session import Session
from gui.settings import Settings
from gui.sources import source_of
from gui.views import Services
from gui.views.runs.columns import GIVE_WAY, WIDTHS
from gui.views.runs.curves import Series
from gui.views.runs.settings import MISSING, differences, options_of, plain_of
from gui.views.runs.table import CHIP, FAMILY, LOSS, NAME, SIZE, STATUS, STEP, TEXT, VALID
from gui.views.runs.train_on import TrainOnDialog
from gui.views.runs.trash import TrashDialog
from gui.views.runs.view import RunsView
from tests.helpers.inline_engine import InlineEngine

ZOOM = 1.5
SMALL = {"num_layers": 1, "num_heads": 2, "hidden_size": 16}


def step(number: int, loss: float = 5.0, **metrics: float) -> events.StepEnd:
    return events.StepEnd(step=number, loss=loss, learning_rate=1e-3, grad_norm=1.0, tokens=number * 100, tokens_per_s=1000.0,
                          progress=number / 100, elapsed=number / 2, seconds_left=10.0, memory=10**9, metrics=metrics)


def write(run: Run, *told: events.Event) -> None:
    writer = events.EventWriter(run.events_path)
    for event in told:
        writer.write(event)
    writer.close()


@pytest.fixture
def make(make_run) -> Callable[..., Run]:
    def made(name: str = "a run", *told: events.Event, **options: object) -> Run:
        run = make_run(name, **{**SMALL, **options})
        write(run, *told)
        return run

    return made


@pytest.fixture
def services(qtbot) -> Iterator[Services]:
    window = QWidget()
    qtbot.addWidget(window)
    went: list[str] = []
    made = Services(engine=InlineEngine(), aside=InlineEngine(), jobs=Jobs(InlineEngine), watcher=RunWatcher(), processes=Processes(),
                    messages=Messages(window), settings=Settings(), navigate=went.append)
    made.engine.went = went
    made.engine.window = window
    yield made
    made.processes.close()
    for path in list(made.watcher._users):
        made.watcher.unwatch(path)


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def show(qtbot, services, session) -> Callable[[], RunsView]:
    def made() -> RunsView:
        view = RunsView(session, services)
        qtbot.addWidget(view)
        view.resize(1100, 600)
        with qtbot.waitSignal(view.list.roundEnded):
            view.show()
        qtbot.waitUntil(lambda: not view._timer.isActive())
        return view

    return made


def choose(view: RunsView, qtbot, *names: str) -> None:
    view.table.clearSelection()
    for place in range(view.order.rowCount()):
        if view.order.index(place, NAME).data() in names:
            view.table.selectionModel().select(view.order.index(place, 0), QItemSelectionModel.SelectionFlag.Select
                                               | QItemSelectionModel.SelectionFlag.Rows)
    qtbot.waitUntil(lambda: not view._timer.isActive())
    assert sorted(item.run.name for item in view.chosen) == sorted(names)


def cell(view: RunsView, name: str, column: int) -> object:
    return next(view.order.index(place, column).data() for place in range(view.order.rowCount())
                if view.order.index(place, NAME).data() == name)


@pytest.mark.parametrize(("language", "words"), [("en", "2 runs"), ("zh_CN", "共 2 次训练")])
def test_the_count_is_of_all_runs_and_does_not_say_that_they_train(show, make, language, words) -> None:
    i18n.set_language(language)
    make("one", step(3))
    make("two")
    assert show()._count.text() == words


def test_the_models_keep_qts_rules(show, make, qtmodeltester) -> None:
    make("one", step(3))
    make("two")
    view = show()
    qtmodeltester.check(view.model)
    qtmodeltester.check(view.order)


def test_the_table_says_what_became_of_each(show, make, qtbot) -> None:
    make("good", step(90, 2.5), events.EvalEnd(step=90, metrics={"loss": 2.75}), events.RunFinished(step=90, reason="complete"))
    make("bad", step(3), events.RunFailed(step=3, message="The loss is no longer a number.", hint="Lower the learning rate."))
    make("new")
    view = show()
    assert view.order.rowCount() == 3
    assert [cell(view, "good", column) for column in (FAMILY, STATUS, STEP, LOSS, VALID)] == ["BERT", "finished", "90", "2.500", "2.750"]
    assert cell(view, "bad", STATUS) == "failed" and cell(view, "new", STATUS) == "not started" and cell(view, "new", LOSS) == ""
    assert not view._failure.isVisible()
    choose(view, qtbot, "bad")
    assert view._failure.isVisible() and view._failure._message.text() == "The loss is no longer a number."
    assert view._failure._hint.text() == "Lower the learning rate."
    choose(view, qtbot, "good")
    assert not view._failure.isVisible()


def test_new_events_and_new_runs_come_by_themselves(show, make, qtbot) -> None:
    run = make("one", step(3))
    view = show()
    write(run, step(50, 1.5))
    make("two")
    qtbot.waitUntil(lambda: view.order.rowCount() == 2 and cell(view, "one", STEP) == "50", timeout=5000)


def test_no_runs_lead_to_training(show, services) -> None:
    view = show()
    assert view._stack.currentIndex() == 1
    view._stack.currentWidget().button.click()
    assert services.engine.went == ["train"]


def test_a_run_goes_on_the_bench_and_off_again(show, make, session, qtbot) -> None:
    runs = [make(name) for name in ("one", "two")]
    view = show()
    place = next(place for place in range(2) if view.order.index(place, NAME).data() == "one")
    spot = view.table.visualRect(view.order.index(place, CHIP)).center()
    qtbot.mouseClick(view.table.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert [item.path for item in session.bench] == [runs[0].path]
    choose(view, qtbot, "one", "two")
    assert view._put.text() == "Put on the bench"
    view._put.click()
    assert len(session.bench) == 2
    qtbot.waitUntil(lambda: view._put.text() == "Take off the bench")
    view._put.click()
    assert session.bench == ()


def test_renaming_in_place(show, make, session, services, qtbot) -> None:
    run = make("old")
    session.add_run(run)
    view = show()
    index = view.order.index(0, NAME)
    assert index.flags() & Qt.ItemFlag.ItemIsEditable and not view.order.index(0, STEP).flags() & Qt.ItemFlag.ItemIsEditable
    assert view.order.setData(index, "new name")
    assert Run.open(run.path).name == "new name" and session.bench[0].run.name == "new name" and cell(view, "new name", STATUS)
    view.order.setData(view.order.index(0, NAME), "  ")
    assert Run.open(run.path).name == "new name" and services.messages.texts == [("A run needs a name.", "Type one.")]


def test_a_name_that_is_being_typed_outlives_the_steps_of_its_run_and_the_bench(show, make, session, qtbot) -> None:
    run = make("old", step(3))
    view = show()
    choose(view, qtbot, "old")
    view._edit_name()
    editor = next(found for found in view.table.findChildren(QLineEdit) if found.isVisible())
    editor.setText("half of a na")
    write(run, step(50, 1.5))
    qtbot.waitUntil(lambda: cell(view, "old", STEP) == "50", timeout=5000)
    session.add_run(run)
    assert editor.text() == "half of a na"
    run.rename("another")
    view.list.refresh(run.path)
    assert cell(view, "another", STEP) == "50"


@pytest.mark.parametrize("sorted_by_name", [False, True])
def test_a_name_that_is_being_typed_outlives_another_that_the_run_gets_elsewhere(show, make, sorted_by_name, qtbot) -> None:
    run = make("old")
    make("middle")
    view = show()
    if sorted_by_name:
        view.table.sortByColumn(NAME, Qt.SortOrder.AscendingOrder)
    choose(view, qtbot, "old")
    view._edit_name()
    editor = next(found for found in view.table.findChildren(QLineEdit) if found.isVisible())
    Run.open(run.path).rename("another")
    view.list.refresh(run.path)
    assert editor.text() == "another"  # nothing was typed: leaving the field must not bring the old name back
    editor.selectAll()
    QTest.keyClicks(editor, "half of a na")
    Run.open(run.path).rename("zebra")
    view.list.refresh(run.path)
    assert editor.isVisible() and editor.text() == "half of a na" and cell(view, "zebra", STATUS)
    QTest.keyClicks(editor, "me")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: Run.open(run.path).name == "half of a name")


def test_a_run_in_the_queue_waits_for_its_turn_in_the_table_too(show, make, services) -> None:
    queue = queue_of(services.processes)
    queue._begun.add("another")
    queue.start([make("new")])
    assert cell(show(), "new", STATUS) == "waits for its turn"


def test_the_search_says_what_it_is_with_large_letters(qtbot, qapp, make, session, services) -> None:
    theme.apply(qapp, "light", 1.5)
    make("apple")
    view = RunsView(session, services)
    qtbot.addWidget(view)
    for width in (770, 1028):
        view.resize(width, 600)
        view.show()
        qtbot.waitUntil(lambda: view._search.width() >= view._search.fontMetrics().horizontalAdvance("Search") + 60)  # the clear button too


def test_the_import_button_is_as_wide_as_its_words_in_two_lines_of_buttons(qtbot, make, session, services) -> None:
    make("one")
    page = QWidget()  # a window would be as wide as one line needs
    qtbot.addWidget(page)
    view = RunsView(session, services)
    view.setParent(page)
    view.resize(750, 600)
    page.show()
    wanted = next(found for found in view.findChildren(QPushButton) if found.menu() is not None)
    qtbot.waitUntil(lambda: wanted.isVisible() and view._deeds.y() < view._finding.y())
    assert wanted.width() == wanted.sizeHint().width()


def test_what_is_prepared_is_read_whole(show, make, qtbot, monkeypatch) -> None:
    stage = "cutting the text into tokens"
    make("new", events.Preparing(stage=stage, done=0, total=0))
    monkeypatch.setattr(Processes, "alive", lambda *_: True)
    view = show()
    assert cell(view, "new", STATUS) == stage
    wanted = view.table.fontMetrics().horizontalAdvance(stage) + 16
    qtbot.waitUntil(lambda: view.table.columnWidth(STATUS) > wanted)


def test_deleting_can_be_undone(show, make, session, services, qtbot) -> None:
    runs = [make(name, step(1)) for name in ("one", "two", "three")]
    session.add_run(runs[0])
    view = show()
    choose(view, qtbot, "one", "two")
    queue = queue_of(services.processes)
    queue._begun.add("another")
    queue.start(runs[1:])
    view._delete_button.click()
    assert [run.name for run in queue.waiting] == ["three"]
    assert session.bench == () and view.order.rowCount() == 1 and not runs[0].path.exists() and not runs[1].path.exists()
    toast = next(item for item in services.engine.window.findChildren(Toast) if "2 runs" in item.text[0])
    toast._act()
    qtbot.waitUntil(lambda: view.order.rowCount() == 3, timeout=5000)
    assert [item.path for item in session.bench] == [runs[0].path] and Run.open(runs[1].path).name == "two"


def test_runs_that_come_back_have_the_colours_and_places_that_they_had(show, make, session, services, qtbot) -> None:
    runs = [make(name) for name in ("one", "two")]
    last = make("last")
    view = show()
    names = [view.order.index(place, NAME).data() for place in range(3)]
    for run in sorted(runs, key=lambda run: names.index(run.name), reverse=True):  # the table deletes from the top
        session.add_run(run)
    session.add_run(last)
    bench = [(item.path, item.colour) for item in session.bench]
    choose(view, qtbot, "one", "two")
    view._delete_button.click()
    next(item for item in services.engine.window.findChildren(Toast) if "2 runs" in item.text[0])._act()
    assert [(item.path, item.colour) for item in session.bench] == bench


def test_without_a_chosen_run_there_are_no_axes_but_what_to_do(show, make, qtbot) -> None:
    make("one", step(1), step(2))
    view = show()
    assert view.curves._nothing.isVisible() and not view.curves.curves.isVisible()
    choose(view, qtbot, "one")
    qtbot.waitUntil(lambda: view.curves.curves.isVisible() and not view.curves._nothing.isVisible())


def test_how_the_curves_are_drawn_stays_when_the_view_is_made_anew(show, make) -> None:
    make("one", step(1))
    controls = show().curves.curves.controls
    controls["smoothing"].setValue(42)
    controls["log"].setChecked(True)
    controls["axis"].setCurrentIndex(2)
    curves = show().curves.curves
    assert (curves._smoothing, curves._log, curves._axis) == (0.42, True, "time")
    assert curves.controls["smoothing"].value() == 42 and curves.controls["axis"].currentIndex() == 2


def test_deleted_runs_can_be_brought_back_later_or_removed_for_good(show, make, qtbot, services) -> None:
    kept, first, second = make("kept", step(1)), make("first", step(2)), make("second", step(3))
    for run in (first, second):
        trash.delete(run)
    view = show()
    menu = view._more.menu()
    next(action for action in menu.actions() if action.text() == "Deleted runs...").trigger()
    dialog, alive = view.findChild(TrashDialog), []

    def buttons(words: str) -> list[QPushButton]:
        return [found for found in dialog.findChildren(QPushButton) if found.text() == words and found.isVisibleTo(dialog)]

    assert "2 deleted runs take" in dialog._said.text() and not buttons("Yes, delete them for good")
    pressed = buttons("Bring it back")[1]  # what was deleted last stands first
    pressed.clicked.connect(lambda: alive.append(shiboken6.isValid(pressed)))
    qtbot.mouseClick(pressed, Qt.MouseButton.LeftButton)
    assert alive == [True]
    assert first.path.exists() and not second.path.exists() and view.list.rows[first.path].run.name == "first"
    assert "1 deleted run takes" in dialog._said.text()
    buttons("Delete for good")[0].click()
    assert trash.trashed()[0].name == "second", "it is asked once more"
    buttons("Yes, delete them for good")[0].click()
    qtbot.waitUntil(lambda: dialog._said.text() == "There are no deleted runs.")
    assert not trash.trashed() and kept.path.exists() and first.path.exists() and not buttons("Delete for good")
    dialog.accept()
    for run in (kept, first):
        trash.delete(run)
    qtbot.waitUntil(lambda: view._stack.currentIndex() == 1, timeout=5000)
    qtbot.waitUntil(view._deleted.isVisible)
    qtbot.mouseClick(view._deleted, Qt.MouseButton.LeftButton)
    assert "2 deleted runs take" in view.findChildren(TrashDialog)[-1]._said.text()


def test_a_run_of_the_bench_is_listed_wherever_it_lies(show, make, session, tmp_path, qtbot) -> None:
    near = make("near", step(1))
    far = Run.create(replace(near.config, name="far"), tmp_path / "elsewhere" / "far")
    session.add_run(near)
    session.add_run(far)
    view = show()
    assert sorted(row.run.name for row in view.list.rows.values()) == ["far", "near"]
    session.remove_run(far.path)
    qtbot.waitUntil(lambda: [row.run.name for row in view.list.rows.values()] == ["near"])
    qtbot.waitUntil(lambda: view.order.rowCount() == 1)


def test_a_run_that_was_deleted_elsewhere_is_listed_with_its_folder_and_comes_back_to_it(show, make, session, tmp_path, qtbot) -> None:
    make("kept", step(1))
    made = Run.create(make("far", step(2)).config, tmp_path / "elsewhere" / "far")
    trash.delete(made)
    view = show()
    view._show_trash()
    dialog = view.findChild(TrashDialog)
    assert any(str(tmp_path / "elsewhere") in found.text() for found in dialog.findChildren(QLabel))
    next(found for found in dialog.findChildren(QPushButton) if found.text() == "Bring it back").click()
    assert made.path.exists() and session.on_bench(made.path) is not None, "the list holds the runs of the home alone"


def test_what_the_command_line_changes_is_known_on_the_bench(show, make, session, qtbot) -> None:
    run = make("one")
    session.add_run(run)
    view = show()
    Run.open(run.path).change({"steps": 9000})
    view.list.refresh(run.path)
    qtbot.waitUntil(lambda: session.bench[0].run.config.train.steps == 9000)


def test_an_onnx_model_is_listed_renamed_deleted_and_brought_back_whole(show, make, session, services, qtbot) -> None:
    run = make("theirs", step(1))
    (run.path.parent / "outer").mkdir()
    run.path.rename(run.path.parent / "outer" / "run")
    (run.path.parent / "outer" / "model.onnx").write_bytes(b"x" * 3_000_000)
    run = Run.open(run.path.parent / "outer")
    session.add_run(run)
    view = show()
    assert cell(view, "theirs", SIZE) == "3.0 MB"
    view._rename(run.path, "mine")
    choose(view, qtbot, "mine")
    assert session.bench[0].run.name == "mine"
    view._delete_button.click()
    assert session.bench == () and view.order.rowCount() == 0 and not run.path.parent.exists()
    next(item for item in services.engine.window.findChildren(Toast) if "mine" in item.text[0])._act()
    qtbot.waitUntil(lambda: view.order.rowCount() == 1, timeout=5000)
    assert [item.path for item in session.bench] == [run.path] and (run.path.parent / "model.onnx").exists()


def test_a_copy_of_the_settings_goes_to_the_train_view(show, make, session, services, qtbot) -> None:
    run = make("one", learning_rate=0.004)
    view = show()
    choose(view, qtbot, "one")
    view._copy_button.click()
    assert services.engine.went == ["train"] and session.draft.train.learning_rate == 0.004 and session.draft.name == ""
    assert session.draft.model == run.config.model


def test_what_can_be_done_depends_on_the_state(show, make, qtbot, monkeypatch, services) -> None:
    make("stopped", step(3), events.RunFinished(step=3, reason="stopped"))
    make("finished", step(3), events.RunFinished(step=3, reason="complete"))
    running = make("running", step(3))
    monkeypatch.setattr(Processes, "alive", lambda _self, run: run.path == running.path)
    done: list[tuple[str, Path]] = []
    for name in ("pause", "resume", "stop"):
        monkeypatch.setattr(Processes, name, lambda _self, run, name=name: done.append((name, run.path)))
    view = show()

    def enabled() -> list[bool]:
        return [part.isEnabled() for part in (view._pause, view._stop, view._copy_button, view._delete_button)]

    assert enabled() == [False, False, False, False]
    choose(view, qtbot, "finished")
    assert enabled() == [False, False, True, True]
    choose(view, qtbot, "stopped")
    assert enabled() == [True, False, True, True] and view._pause.text() == "Go on"
    view._pause.click()
    choose(view, qtbot, "running")
    assert enabled() == [True, True, True, False] and view._pause.text() == "Pause"
    view._pause.click()
    view._stop.click()
    assert [name for name, _ in done] == ["resume", "pause", "stop"]


def test_an_interrupted_run_says_where_it_would_begin(show, make, qtbot) -> None:
    run = make("cut off", step(3))
    view = show()
    choose(view, qtbot, "cut off")
    assert "begins anew" in view._failure._hint.text()
    run.checkpoint_path(2).mkdir()
    choose(view, qtbot, "cut off")
    assert "begins at its last checkpoint" in view._failure._hint.text()


def test_the_log_is_shown(show, make, qtbot) -> None:
    run = make("bad", step(3), events.RunFailed(step=3, message="It broke.", hint="Mend it.", traceback="Traceback: here"))
    (run.path / "worker.log").write_text("what the process said\n", encoding="utf-8")
    view = show()
    choose(view, qtbot, "bad")
    view._show_log()
    dialog = next(child for child in view.children() if type(child).__name__ == "LogDialog")
    assert "what the process said" in dialog._text.toPlainText() and "Traceback: here" in dialog._text.toPlainText()
    dialog.accept()


def test_tab_leaves_the_tables(show, make, qtbot) -> None:
    make("one")
    make("two", num_layers=2)
    view = show()
    choose(view, qtbot, "one", "two")
    view.tabs.setCurrentWidget(view.settings)
    with qtbot.waitActive(view):
        view.activateWindow()
    for table in (view.table, view.settings.table):
        for key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            table.setFocus()
            table.setCurrentIndex(table.model().index(0, 1))
            QTest.keyClick(view.windowHandle(), key)
            assert QApplication.focusWidget() is not table


def test_searching_and_sorting(show, make) -> None:
    for name, loss in (("apple", 3.0), ("pear", 1.0), ("apple two", 2.0)):
        make(name, step(3, loss))
    view = show()
    view.table.sortByColumn(LOSS, Qt.SortOrder.AscendingOrder)
    assert [view.order.index(place, NAME).data() for place in range(3)] == ["pear", "apple two", "apple"]
    view._search.setText("APPLE bert")
    assert [view.order.index(place, NAME).data() for place in range(view.order.rowCount())] == ["apple two", "apple"]


# the curves

def test_two_runs_that_nobody_follows_yet_are_chosen_at_once(show, make, qtbot) -> None:
    for name in ("one", "two"):
        make(name, step(1), step(2))
    view = show()
    choose(view, qtbot, "one", "two")
    qtbot.waitUntil(lambda: sorted(item.run.name for item in view.curves.shown) == ["one", "two"] and len(view.curves.curves._curves) == 2)


def test_the_curves_of_the_chosen_runs_grow(show, make, session, qtbot) -> None:
    one = make("one", *[step(number, 10 / number) for number in range(1, 20)], events.EvalEnd(step=10, metrics={"loss": 1.5, "perplexity": 4.5}))
    make("two", *[step(number) for number in range(1, 10)])
    session.add_run(one)
    view = show()
    qtbot.waitUntil(lambda: [item.run.name for item in view.curves.shown] == ["one"])  # nothing is chosen: those on the bench
    assert view.curves.shown[0].colour == theme.current().runs[0]
    key = f"{one.path}/train"
    qtbot.waitUntil(lambda: len(view.curves.curves._curves[key].y.values) == 19)
    choose(view, qtbot, "one", "two")
    assert len({item.colour for item in view.curves.shown}) == 2
    write(one, step(20, 0.25), events.EvalEnd(step=20, metrics={"loss": 1.25, "perplexity": 3.5}))
    qtbot.waitUntil(lambda: view.curves.curves._curves[key].y.values[-1:].tolist() == [0.25])
    view.curves.choose("perplexity")
    valid = view.curves.curves._curves[f"{one.path}/valid"]
    assert valid.y.values.tolist() == [4.5, 3.5] and valid.x["tokens"].values.tolist() == [1000, 2000]
    assert valid.x["time"].values.tolist() == [5, 10]


def test_a_run_that_went_on_from_an_earlier_step_has_one_curve(show, make, session, qtbot) -> None:
    run = make("one", *[step(number) for number in range(1, 20)])
    session.add_run(run)
    view = show()
    key = f"{run.path}/train"
    qtbot.waitUntil(lambda: len(view.curves.curves._curves[key].y.values) == 19)
    again = events.RunStarted(step=5, device="cpu", precision="fp32", processes=1, threads=1, parameters=1, train_tokens=1, valid_tokens=1,
                              vocab_size=1, total_steps=0, versions={})
    write(run, again, step(6, 1.0), step(7, 1.0))
    qtbot.waitUntil(lambda: view.curves.curves._curves[key].x["steps"].values.tolist() == [1, 2, 3, 4, 5, 6, 7])
    write(run, replace(again, step=0), step(1, 1.0))  # it was killed before its first checkpoint
    qtbot.waitUntil(lambda: view.curves.curves._curves[key].x["steps"].values.tolist() == [1])


def test_a_quantity_that_comes_late_is_empty_before() -> None:
    series = Series()
    series.feed([step(1), step(2, mlm_accuracy=0.5)])
    series.feed([step(3, mlm_accuracy=0.75)])
    assert np.isnan(series.train["mlm_accuracy"].values[0]) and series.train["mlm_accuracy"].values[1:].tolist() == [0.5, 0.75]
    assert {name: len(column.values) for name, column in series.train.items()} == dict.fromkeys(series.train, 3)
    series.feed([events.EvalEnd(step=2, metrics={"loss": 2.0})])
    series.feed([events.EvalEnd(step=3, metrics={"loss": 1.0, "perplexity": 2.0})])
    assert np.isnan(series.valid["perplexity"].values[0]) and series.valid["perplexity"].values[1] == 2.0
    series.feed([replace(step(4), gpu_memory=3 << 30)])
    assert series.train["memory"].values.tolist() == [10**9 / MIB] * 4
    assert np.isnan(series.train["gpu_memory"].values[:3]).all() and series.train["gpu_memory"].values[3] == 3072


def test_what_a_run_has_not_is_no_zero_and_what_lies_on_a_card_is_no_memory_of_the_process(show, make, make_run, qtbot) -> None:
    write(make_run("words", family="word2vec"), replace(step(1), grad_norm=0.0))
    make("card", replace(step(1), gpu_memory=2**30), replace(step(2), gpu_memory=2**30))
    view = show()
    choose(view, qtbot, "words")
    chooser = view.curves._chooser
    assert not {"grad_norm", "gpu_memory"} & {chooser.itemData(place) for place in range(chooser.count())}
    choose(view, qtbot, "words", "card")
    assert {"grad_norm", "gpu_memory"} <= {chooser.itemData(place) for place in range(chooser.count())}
    curves = view.curves.curves
    for quantity, values in (("memory", [10**9 / 2**20] * 2), ("gpu_memory", [1024.0] * 2), ("grad_norm", [1.0] * 2)):
        view.curves.choose(quantity)
        drawn = {curve.name: curve.y.values.tolist() for curve in curves._curves.values()}
        assert drawn["card"] == values and ("words" in drawn) == (quantity == "memory")


def test_a_loss_among_negative_samples_is_told_from_the_others(show, make, make_run, qtbot) -> None:
    told = [step(1), events.EvalEnd(step=1, metrics={"loss": 2.0, "perplexity": 7.4})]
    write(make_run("words", family="word2vec"), *told)
    make("masks", *told)
    view = show()
    choose(view, qtbot, "words")
    model = view.table.model()
    tips = {model.index(row, NAME).data(): model.index(row, LOSS).data(Qt.ItemDataRole.ToolTipRole) for row in range(model.rowCount())}
    assert "each guess among negative samples" in tips["words"] and tips["masks"].startswith("5.000") and "each token" in tips["masks"]
    assert [curve.name for curve in view.curves.curves._curves.values()] == ["words", "words, validation"]
    choose(view, qtbot, "words", "masks")
    names = [curve.name for curve in view.curves.curves._curves.values()]
    assert {"words (negative samples)", "words (negative samples), validation", "masks", "masks, validation"} == set(names)
    view.curves.choose("perplexity")
    assert {curve.name for curve in view.curves.curves._curves.values()} == {"words", "masks"}


# the settings

def test_only_what_differs_is_listed(show, make, qtbot) -> None:
    one, two = make("one", learning_rate=0.002), make("two", learning_rate=0.004, dropout=0.1)
    found = dict(differences([options_of(one.config), options_of(two.config)]))
    assert found["train.learning_rate"] == [0.002, 0.004] and "model.hidden_size" not in found and "name" not in found
    assert dict(differences([options_of(one.config), options_of(Run.open(one.path).config)])) == {}
    own = replace(one.config, text=replace(one.config.text, files=("/there/own.txt",), corpus="en"))
    assert dict(differences([options_of(one.config), options_of(own)]))["text.corpus"][1] == MISSING  # it is not read
    view = show()
    choose(view, qtbot, "one", "two")
    titles = [view.settings.table.item(place, 0).text() for place in range(view.settings.table.rowCount())]
    assert "Learning rate" in titles and "Hidden size" not in titles
    choose(view, qtbot, "one")
    assert view.settings.table.horizontalHeaderItem(1).text() == "Preset quick" and view.settings.table.rowCount() >= 3
    assert view.settings.table.horizontalHeaderItem(1).icon().isNull() and not view.settings.table.horizontalHeaderItem(2).icon().isNull()


@pytest.mark.parametrize(("origin", "of_model"), [("{}", {"Layers", "Attention heads", "Hidden size", "Longest input"}),
                                                  ('{"known": ["model.hidden_size"]}', {"Hidden size"})])
def test_of_an_imported_run_only_what_it_tells_is_listed(show, make, qtbot, origin: str, of_model: set[str]) -> None:
    make("ours", learning_rate=0.004)
    (make("theirs").path / ORIGIN).write_text(origin)
    view = show()
    choose(view, qtbot, "theirs")
    table = view.settings.table
    titles = {table.item(place, 0).text() for place in range(table.rowCount())}
    assert titles >= {"Family", "Tokenizer", "Vocabulary size", *of_model} and table.horizontalHeaderItem(1).text() == "theirs"
    assert not titles & ({"Preset", "Learning rate", "Minutes", "Masked share (%)", "Built-in text", "Layers", "Attention heads"} - of_model)
    choose(view, qtbot, "ours", "theirs")
    names = [table.horizontalHeaderItem(column).text() for column in range(table.columnCount())]
    rows = {table.item(place, 0).text(): table.item(place, names.index("theirs")).text() for place in range(table.rowCount())}
    assert rows["Learning rate"] == rows["Masked share (%)"] == rows["Preset"] == MISSING and cell(view, "theirs", TEXT) == "imported"


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_it_can_be_drawn_in_both_languages_and_looks(show, make, qapp, qtbot, language, look) -> None:
    i18n.set_language(language)
    theme.apply(qapp, look)
    make("bad", step(3), events.RunFailed(step=3, message="It broke."))
    view = show()
    choose(view, qtbot, "bad")
    view.resize(856, 500)
    assert not view.grab().isNull()


def test_many_runs_never_hold_the_window_up(show, make, monkeypatch) -> None:
    """By a clock that passes a slice with every second run, the loop has its turn after two of them."""
    from gui.views.runs import runs_list

    for number in range(12):
        make(f"run {number}", step(3))
    looked: list[int] = []  # runs in each slice
    clock = count()
    monkeypatch.setattr(runs_list, "perf_counter", lambda: next(clock) * runs_list.SLICE_S / 2)
    plain_slice, plain_look = runs_list.RunsList._slice, runs_list.RunsList._look

    def sliced(self: runs_list.RunsList) -> None:
        looked.append(0)
        plain_slice(self)

    def counted(self: runs_list.RunsList, path: Path) -> None:
        looked[-1] += 1
        plain_look(self, path)

    monkeypatch.setattr(runs_list.RunsList, "_slice", sliced)
    monkeypatch.setattr(runs_list.RunsList, "_look", counted)
    view = show()
    assert view.order.rowCount() == 12
    assert 0 < max(looked) <= 2


def test_a_finetuned_run_says_what_it_was_made_for_and_a_pretrained_one_can_be_finetuned(show, make_run, session, services, qtbot):
    pretrained = make_run("pre", "elmo")
    tuned = Run.create(build_finetune(pretrained, "tagging", {"task.train_file": "/there/names.conll", "task.labels": 200}, name="tuned"))
    view = show()
    qtbot.waitUntil(lambda: view.order.rowCount() == 2)
    rows = {view.order.index(place, NAME).data(): place for place in range(2)}
    assert "names.conll" in view.order.index(rows["tuned"], TEXT).data() and "Tagging" in view.order.index(rows["tuned"], TEXT).data()
    assert options_of(tuned.config)["task.labels"] == 200
    assert ("task.labels", [0, 200]) in differences([options_of(plain_of(tuned.config)), options_of(tuned.config)])
    nameless = Run.create(build_finetune(pretrained, "tagging", name="theirs"))  # as one that is imported with its head
    assert source_of(nameless) == "Tagging: imported"
    view.table.selectRow(rows["tuned"])
    qtbot.waitUntil(lambda: len(view.chosen) == 1 and not view._timer.isActive())
    assert not view._actions["finetune"].isEnabled()
    view.table.selectRow(rows["pre"])
    qtbot.waitUntil(lambda: view._actions["finetune"].isEnabled())
    view._actions["finetune"].trigger()
    assert session.pretrained.path == pretrained.path


def test_with_large_letters_columns_give_way_so_that_nothing_is_scrolled_sideways(qtbot, qapp, make, session, services):
    theme.apply(qapp, "light", ZOOM)
    make("apple", step(1_000), events.EvalEnd(step=1_000, metrics={"loss": 5.0}))
    window = QWidget()
    qtbot.addWidget(window)
    view = RunsView(session, services)
    view.setParent(window)
    window.resize(2400, 600)
    window.show()
    table, header = view.table, view.table.horizontalHeader()
    counts = []
    for width in (790, 930, 1060, 2400):
        view.resize(width, 600)
        qtbot.waitUntil(lambda: view.order.rowCount() == 1 and header.length() == table.viewport().width())
        qtbot.waitUntil(lambda: not table._soon.isActive() and not table.horizontalScrollBar().maximum())
        hidden = [column for column in GIVE_WAY if table.isColumnHidden(column)]
        assert hidden == list(GIVE_WAY[: len(hidden)]) and table.columnWidth(NAME) >= theme.scaled(WIDTHS[NAME])
        assert all(table.columnWidth(column) == max(table.sizeHintForColumn(column), header.sectionSizeHint(column))
                   for column in (FAMILY, STEP, LOSS, VALID) if column not in hidden)
        counts.append(len(hidden))
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[2] > counts[3] == 0
    name = table.model().index(0, NAME).data(Qt.ItemDataRole.ToolTipRole)
    assert "apple" in name and "Step: 1,000" in name and "Loss: 5.000" in name, "what gave way can be read"
    view.resize(2400, 600)
    table.setColumnWidth(TEXT, 300)
    qtbot.waitUntil(lambda: header.length() == table.viewport().width() and table.columnWidth(TEXT) == 300)


def test_a_run_at_its_end_is_given_a_later_one(show, make, session, services, qtbot, monkeypatch) -> None:
    started: list[Run] = []
    monkeypatch.setattr(services.processes, "start", started.append)
    asked: list[TrainOnDialog] = []
    monkeypatch.setattr(TrainOnDialog, "exec", lambda self: asked.append(self) or True)
    run = make("done", step(90, 2.5), events.RunFinished(step=90, reason="complete"), **{"train.minutes": 1.5, "train.steps": 90})
    make("never begun")
    session.add_run(run)
    view = show()
    choose(view, qtbot, "never begun")
    assert not view._actions["train_on"].isEnabled()
    choose(view, qtbot, "done")
    view._actions["train_on"].trigger()
    assert asked[0].limits == {"train.minutes": 3.0, "train.steps": 180}
    for found in (Run.open(run.path), session.bench[0].run, started[0]):
        assert (found.config.train.minutes, found.config.train.steps) == (3.0, 180)
    (run.path / ORIGIN).write_text("{}")
    view._actions["train_on"].trigger()
    assert len(asked) == len(started) == 1 and "trained elsewhere" in services.messages.texts[-1][0]


@pytest.mark.parametrize(("name", "said"), [("bert", True), ("word2vec", False)])
def test_who_trains_on_a_run_that_ships_hears_that_its_optimizer_begins_anew(qtbot, tmp_path, name, said) -> None:
    run = Run.open(pack.unpack(shipped.MODELS / "en" / f"{name}.lexi", tmp_path / "run").run)
    dialog = TrainOnDialog(None, run)
    qtbot.addWidget(dialog)
    assert any("optimizer" in one.text() for one in dialog.findChildren(QLabel)) == said
