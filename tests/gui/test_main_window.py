from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QFileDialog, QLabel, QLineEdit, QMenu, QPushButton, QToolButton, QTreeView

from core import config, i18n, study_process, trash
from core.errors import UserError
from core.events import EventWriter, Preparing, StepEnd
from core.runs import Run, home, write_atomically
from core.tasks.config import build_finetune
from gui import main_window, theme
from gui.main_window import MainWindow
from gui.quit_dialog import QuitChoice, QuitDialog
from gui.run_queue import queue_of
from gui.settings import Settings
from tests.gui.conftest import FAKE_VIEWS, _let_die

OPENS_THE_WINDOW = """
import sys
from gui import app, views
from gui.main_window import MainWindow
from gui.settings import Settings
app.make_app(["lexiscope"])
window = MainWindow(Settings())
window.show()
window.start()
for name in views.VIEWS:
    window.show_view(name)
import gui.widgets.curve, gui.widgets.scatter
print([name for name in ("torch", "sklearn", "umap", "onnxruntime", "transformers") if name in sys.modules])
window.close()
"""


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_it_opens_in_both_languages_and_looks(qtbot, make_window, make_run, language, look):
    window = make_window(language=language, look=look)
    window.session.add_run(make_run("bert"))
    qtbot.waitExposed(window)
    picture = window.grab().toImage()
    colour = picture.pixelColor(picture.width() // 2, picture.height() // 2)
    assert (colour.lightness() < 128) == (look == "dark")
    assert theme.current().name == look
    assert i18n.language() == language


def test_it_fits_a_small_projector(qtbot, make_window, make_run):
    window = make_window()
    for number in range(4):
        window.session.add_run(make_run(f"run {number}"))
    window.resize(1024, 640)
    qtbot.waitUntil(lambda: window.width() == 1024)
    assert window.centralWidget().minimumSizeHint().width() <= 1024
    assert window.height() == 640


def test_a_view_shows_only_the_controls_that_it_needs(qtbot, make_window):
    window = make_window(view="start")
    assert not window._dock.isVisible()
    assert not window._bottom.layer_slider.isVisible()
    window.show_view("senses")
    assert window._dock.isVisible()
    assert window._bottom.layer_slider.isVisible()
    assert window._bottom.step_slider.isVisible()
    assert window.view.controls.isVisible()
    window.show_view("runs")
    assert not window._dock.isVisible()
    window.show_view("senses")
    assert window.view.controls.isVisible()


def test_views_are_made_when_first_shown_and_kept(qtbot, make_window):
    window = make_window(view="start")
    assert set(window._views) == {"start"}
    first = window.view
    window.show_view("runs")
    window.show_view("start")
    assert window.view is first


def test_keys_reach_every_view(qtbot, make_window):
    window = make_window(view="start")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    for number, name in enumerate(FAKE_VIEWS, start=1):
        QTest.keyClick(window, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        assert window._name == name


def test_a_view_that_cannot_be_made_does_not_take_the_window_along(qtbot, make_window, monkeypatch):
    window = make_window(view="start")
    monkeypatch.setitem(FAKE_VIEWS, "train", "tests.gui.fake_views:BrokenView")
    window.show_view("train")
    assert "cannot be made" in window.messages._dialog._trace.toPlainText()
    window.messages._dialog.accept()


def test_another_language_makes_all_anew_and_keeps_the_session(qtbot, make_window, make_run):
    window = make_window()
    window.session.add_run(make_run("bert"))
    word, before = window.session.word, window.view
    qtbot.mouseClick(window.findChild(QToolButton, "language"), Qt.MouseButton.LeftButton)
    assert i18n.language() == "zh_CN"
    assert Settings().language == "zh_CN"
    assert window.view is not before
    assert window.session.word == word
    assert [chip.name.text() for chip in window._bench.chips()] == ["bert"]


def test_qts_own_menus_and_dialogs_speak_the_language_of_the_window(qtbot, make_window):
    def words():
        field = QLineEdit()
        qtbot.addWidget(field)
        menu = field.createStandardContextMenu()
        found = [action.text().partition("\t")[0] for action in menu.actions() if action.text()]
        menu.deleteLater()
        return found

    window = make_window(language="zh_CN")
    chinese = words()
    assert not any(word.isascii() for word in chinese), chinese
    window.set_language("en")
    assert words()[0] == "&Undo"
    window.set_language("zh_CN")
    assert words() == chinese
    window.set_language("en")


def test_qts_file_dialog_has_no_english_word_in_a_chinese_window(qtbot, make_window, tmp_path):
    window = make_window(language="zh_CN")
    dialog = QFileDialog(window, "文件", str(tmp_path))
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    qtbot.addWidget(dialog)
    (tmp_path / "one").mkdir()
    dialog.show()
    words = [part.text() for kind in (QLabel, QAbstractButton, QAction) for part in dialog.findChildren(kind) if part.text()]
    english = [word for word in words if word.replace("&", "").replace(" ", "")[:2].isascii() and word != dialog.directory().dirName()]
    assert words and not english
    table = dialog.findChild(QTreeView)
    qtbot.waitUntil(lambda: table.model().rowCount(table.rootIndex()) == 1)
    assert table.model().index(0, 2, table.rootIndex()).data() == "文件夹"
    window.set_language("en")


def test_the_tab_key_goes_along_the_bench_as_it_is_seen(qtbot, make_window, make_run):
    window = make_window(view="runs")
    runs = [make_run(name) for name in ("one", "two", "three")]
    for run in runs:
        window.session.add_run(run)
    window.session.remove_run(runs[0].path)
    window.session.add_run(runs[0])
    bench = window._bench
    with qtbot.waitActive(window):
        window.activateWindow()
    seen = [*(chip.cross for chip in bench.chips()), bench._add, next(iter(window._navigation._buttons.values()))]
    assert [chip.name.text() for chip in bench.chips()] == ["two", "three", "one"]
    seen[0].setFocus()
    for part in seen[1:]:
        QTest.keyClick(window.windowHandle(), Qt.Key.Key_Tab)
        assert QApplication.focusWidget() is part


def test_another_theme_makes_all_anew(qtbot, make_window):
    window = make_window()
    qtbot.mouseClick(window.findChild(QToolButton, "theme"), Qt.MouseButton.LeftButton)
    assert theme.current().dark
    assert Settings().theme == "dark"


def test_the_old_view_is_gone_before_the_new_style_sheet_is_set(qtbot, make_window, monkeypatch):
    window = make_window()
    before, alive, applied = [window.view, window._dock], [], theme.apply
    monkeypatch.setattr(theme, "apply", lambda *those: alive.extend(map(shiboken6.isValid, before)) or applied(*those))
    for name in ("theme", "language"):
        qtbot.mouseClick(window.findChild(QToolButton, name), Qt.MouseButton.LeftButton)
    assert not any(alive) and theme.current().dark


def test_text_can_be_made_larger(qtbot, make_window):
    window = make_window()
    before = theme.px("body")
    window.zoom(0.2)
    assert theme.px("body") > before
    window.zoom(0)
    assert theme.px("body") == before


def test_the_view_alone_has_the_room_of_both_sides_until_they_are_wanted_again(qtbot, make_window):
    window = make_window(view="senses")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    wide, sides = window._stack.width(), window._dock.width() + window._navigation.width()
    QTest.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window._stack.width() > wide)
    assert window._dock.isHidden() and window._stack.width() == wide + sides - window._navigation.width()
    assert all(made.toolTip().startswith(made.accessibleName()) for made in window._navigation._buttons.values()), "who they are"
    window.show_view("start")
    window.show_view("senses")
    window.set_theme("dark")
    assert window._dock.isHidden() and Settings().folded
    window.fold_sides()
    qtbot.waitUntil(lambda: window._dock.isVisible() and window._stack.width() <= wide)
    assert not Settings().folded


def test_the_last_button_offers_what_a_speaker_needs(qtbot, make_window):
    window = make_window(view="senses")
    window._menu.aboutToShow.emit()
    fold, full = window._menu.actions()[:2]
    assert "Ctrl+B" in fold.text() and fold.isCheckable() and not fold.isChecked()
    full.trigger()
    assert window.isFullScreen()
    window._menu.aboutToShow.emit()
    assert window._menu.actions()[1].isChecked()
    window._menu.actions()[1].trigger()
    assert not window.isFullScreen()
    before = theme.px("body")
    window._menu.aboutToShow.emit()
    window._menu.actions()[2].trigger()
    assert theme.px("body") > before


@pytest.mark.parametrize("kind", [QDialog, QMenu])
def test_the_look_of_the_desktop_waits_for_a_dialog_or_menu_to_be_closed(qtbot, make_window, monkeypatch, kind):
    monkeypatch.setattr(main_window, "DESKTOP_MS", 10, raising=False)
    window = make_window(look="system")
    other, wanted = ("light", Qt.ColorScheme.Light) if theme.current().dark else ("dark", Qt.ColorScheme.Dark)
    opened = kind(window._dock)
    (opened.open if kind is QDialog else opened.show)()
    hints = SimpleNamespace(colorScheme=lambda: wanted, unsetColorScheme=lambda: None)
    monkeypatch.setattr(QApplication, "styleHints", lambda *_: hints)
    window._desktop_changed()
    qtbot.wait(50)
    assert shiboken6.isValid(opened) and opened.isVisible() and theme.current().name != other
    opened.close()
    qtbot.waitUntil(lambda: theme.current().name == other)
    assert not shiboken6.isValid(opened)


def test_full_screen_has_a_key_where_the_desktop_knows_none(qtbot, make_window, monkeypatch):
    class Bare(QKeySequence):
        def __init__(self, keys):
            super().__init__("" if isinstance(keys, QKeySequence.StandardKey) else keys)

    monkeypatch.setattr(main_window, "QKeySequence", Bare)
    window = make_window()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    for _ in range(2):
        before = window.isFullScreen()
        QTest.keyClick(window, Qt.Key.Key_F11)
        assert window.isFullScreen() is not before


def test_who_closed_in_full_screen_finds_a_window_with_its_buttons(qtbot, make_window):
    window = make_window()
    window.full_screen()
    window.close()
    assert not make_window().isFullScreen()


def test_a_chip_and_the_list_say_what_a_run_learns_from(make_window, make_run):
    window, pretrained = make_window(), make_run("bert")
    tuned = Run.create(build_finetune(pretrained, "tagging", {"task.train_file": "/there/names.conll"}, name="tuned"))
    window.session.add_run(tuned)
    assert window._bench.chips()[0].toolTip() == "tuned\nBERT, Tagging: names.conll"
    window._bench._fill_menu()
    assert window._bench._menu.toolTipsVisible() and window._bench._menu.actions()[0].toolTip() == "BERT, preset quick, on built-in Chinese"


def test_a_chip_takes_its_run_off_the_bench(qtbot, make_window, make_run):
    window = make_window()
    window.session.add_run(make_run("one"))
    window.session.add_run(make_run("two"))
    chip = window._bench.chips()[0]
    qtbot.mouseClick(chip.findChild(QToolButton), Qt.MouseButton.LeftButton)
    assert [item.run.name for item in window.session.bench] == ["two"]
    assert [chip.name.text() for chip in window._bench.chips()] == ["two"]


def test_the_list_offers_the_other_runs(qtbot, make_window, make_run):
    window = make_window()
    window.session.add_run(make_run("here"))
    make_run("there")
    window._bench._fill_menu()
    texts = [action.text() for action in window._bench._menu.actions()]
    assert any(text.startswith("there") for text in texts)
    assert not any(text.startswith("here") for text in texts)
    window._bench._menu.actions()[0].trigger()
    assert [item.run.name for item in window.session.bench] == ["here", "there"]


def test_of_many_runs_the_list_reads_only_those_it_shows(qtbot, make_window, make_run, monkeypatch):
    for number in range(4):
        make_run(f"run {number}")
    monkeypatch.setattr("gui.edges.bench_bar.LISTED", 2)
    opened = []
    monkeypatch.setattr("core.config.load", lambda path, load=config.load: opened.append(path) or load(path))
    window = make_window()
    opened.clear()
    window._bench._fill_menu()
    assert len(opened) == 2 and "All 4 runs" in [action.text() for action in window._bench._menu.actions()][-1]


def test_the_layer_slider_and_the_session_agree(qtbot, make_window, make_run):
    window = make_window()
    window.session.add_run(make_run("deep", num_layers=4))
    slider = window._bottom.layer_slider._slider
    assert (slider.maximum(), slider.value()) == (4, 4)
    slider.setValue(2)
    assert window.session.layer == 2
    window.session.layer = 0
    assert slider.value() == 0
    slider.setValue(4)
    assert window.session.layer == -1


def test_a_run_without_probes_is_named_where_there_are_no_steps(qtbot, make_window, make_run):
    window = make_window()
    window.session.add_run(make_run("blind", probes=0))
    slider = window._bottom.step_slider
    assert slider._words.text() == "no probes" and "no steps can be replayed: blind" in slider.toolTip()
    window.session.remove_run(window.session.bench[0].path)
    assert not slider.toolTip()


def test_the_replay_steps_through_the_probes(qtbot, make_window, make_run):
    window, run = make_window(), make_run("bert")
    for step in (10, 20, 30):
        run.probe_path(step).touch()
    window.session.add_run(run)
    seen = []
    window.session.stepChanged.connect(lambda: seen.append(window.session.step))
    replay = window._bottom.step_slider
    replay.toggle_play()
    qtbot.waitUntil(lambda: not replay.playing, timeout=5000)
    assert seen == [10, 20, None]
    window.show_view("runs")  # which has no steps
    replay.toggle_play()
    assert not replay.playing and len(seen) == 3


def test_the_bench_and_the_view_are_found_again(qtbot, make_window, make_run):
    window, run = make_window(view="runs"), make_run("bert")
    window.session.add_run(run)
    window.close()
    again = MainWindow(Settings())
    qtbot.addWidget(again)
    assert again._name == "runs"
    assert [item.path for item in again.session.bench] == [run.path]
    again.close()


def test_the_bench_and_the_word_are_found_again_where_the_program_was_killed(qtbot, make_window, make_run):
    window, run = make_window(), make_run("bert")
    window.session.add_run(run)
    window.session.word = "bank"
    kept = home() / "settings.ini"
    qtbot.waitUntil(lambda: kept.exists() and str(run.path) in kept.read_text() and "word=bank" in kept.read_text())


def test_a_run_that_is_gone_is_left_out(qtbot, make_window, make_run):
    window, run = make_window(), make_run("bert")
    window.session.add_run(run)
    window.close()
    trash.delete(run)
    again = MainWindow(Settings())
    qtbot.addWidget(again)
    assert again.session.bench == ()
    again.close()


def test_events_of_the_bench_are_followed(qtbot, make_window, make_run):
    window, run = make_window(), make_run("bert")
    writer = EventWriter(run.events_path)
    writer.write(StepEnd(step=1, loss=1.0, learning_rate=0.1, grad_norm=0.1, tokens=1, tokens_per_s=1.0, progress=0.1,
                         elapsed=1.0, seconds_left=1.0, memory=1))
    writer.close()
    with qtbot.waitSignal(window.watcher.eventsArrived):
        window.session.add_run(run)
    window.session.remove_run(run.path)
    assert window.watcher.history(run.path) == []


@pytest.mark.parametrize("choice", list(QuitChoice))
def test_closing_asks_what_becomes_of_a_run(qtbot, make_window, make_run, monkeypatch, choice):
    window, run = make_window(), make_run("bert")
    done = []
    monkeypatch.setattr(window.processes, "running", lambda: [run])
    monkeypatch.setattr(window.processes, "stop", lambda run: done.append("stop"))
    monkeypatch.setattr(window.processes, "discard", lambda run: done.append("discard"))
    monkeypatch.setattr("gui.main_window.ask", lambda *_: choice)
    queue = queue_of(window.processes)
    queue._begun.add(str(run.path))
    queue.start([make_run("waits for its turn")])
    assert window.close() == (choice is not QuitChoice.CANCEL)
    assert done == {QuitChoice.STOP: ["stop"], QuitChoice.DISCARD: ["discard"]}.get(choice, [])
    assert bool(queue.waiting) == (choice is QuitChoice.CANCEL)  # or it would begin when the other is discarded
    monkeypatch.setattr(window.processes, "running", list)


def test_no_run_begins_while_the_window_asks_what_becomes_of_the_others(qtbot, make_window, make_run, monkeypatch):
    window, run, started = make_window(), make_run("bert"), []
    monkeypatch.setattr(window.processes, "running", lambda: [run])
    monkeypatch.setattr(window.processes, "start", lambda run: started.append(run.name))
    queue = queue_of(window.processes)
    queue._begun.add(str(run.path))
    queue.start([make_run("waits for its turn")])

    def asks(*_):
        window.processes.ended.emit(str(run.path), None)
        assert not started
        return QuitChoice.CANCEL

    monkeypatch.setattr("gui.main_window.ask", asks)
    assert not window.close() and started == ["waits for its turn"]  # now that the window stays
    monkeypatch.setattr(window.processes, "running", list)


@pytest.mark.parametrize("choice", [QuitChoice.STOP, QuitChoice.DISCARD])
def test_the_window_stays_where_a_run_cannot_be_stopped_or_discarded(qtbot, make_window, make_run, monkeypatch, choice):
    window, run = make_window(), make_run("bert")
    monkeypatch.setattr(window.processes, "running", lambda: [run])
    monkeypatch.setattr("gui.main_window.ask", lambda *_: choice)
    queue_of(window.processes)._begun.add(str(run.path))
    queue_of(window.processes).start([make_run("waits for its turn")])
    run.path.rename(run.path.with_name("elsewhere"))
    assert not window.close()
    assert len(queue_of(window.processes).waiting) == 1, "the window stays, and so does what waits"
    assert "no longer there" in window.messages.texts[0][0]
    monkeypatch.setattr(window.processes, "running", list)


def test_the_question_names_what_will_not_begin(qtbot, make_run):
    dialog = QuitDialog(None, [make_run("bert")], [make_run("elmo"), make_run("gpt")])
    qtbot.addWidget(dialog)
    assert any("does not begin without the window: elmo, gpt" in part.text() for part in dialog.findChildren(QLabel))


def test_the_question_names_what_stays_paused(qtbot, make_run):
    runs = [make_run("bert"), make_run("elmo")]
    runs[1].command("pause")
    dialog = QuitDialog(None, runs)
    qtbot.addWidget(dialog)
    assert any("stays so, and in memory, until you let it go on: elmo." in part.text() for part in dialog.findChildren(QLabel))


@pytest.mark.parametrize("choice", [QuitChoice.CANCEL, QuitChoice.KEEP])
def test_closing_asks_before_it_ends_a_job(qtbot, make_window, monkeypatch, tmp_path, choice):
    window, asked = make_window(), []
    monkeypatch.setattr("gui.main_window.ask", lambda *those: asked.append(those) or choice)
    jobs = [window.jobs.start(kind, "tests.gui.engine_functions:slow", {"started": tmp_path / "started"})
            for kind in ("runs", "import", "pack /mine.lexi", "film /mine.gif")]
    assert window.close() == (choice is QuitChoice.KEEP)
    assert asked == [(window, [], (), [], ["Runs", "Import", "Pack a run", "Film"])]
    assert all(job.running == (choice is QuitChoice.CANCEL) for job in jobs)


@pytest.mark.parametrize("choice", [QuitChoice.CANCEL, QuitChoice.KEEP, QuitChoice.STOP])
def test_closing_asks_what_becomes_of_a_comparison(qtbot, make_window, monkeypatch, choice):
    window, asked, stopped = make_window(), [], []
    finished, folder = (study_process.new_folder(name, "tagging") for name in ("gpt", "elmo"))
    for path in (finished, folder):
        (path / study_process.COMMAND).write_text('["worth"]', encoding="utf-8")
    monkeypatch.setattr(study_process, "pid", lambda path: 1 if path == folder else None)
    monkeypatch.setattr(study_process, "stop", stopped.append)
    monkeypatch.setattr("gui.main_window.ask", lambda *those: asked.append(those) or choice)
    assert window.close() == (choice is not QuitChoice.CANCEL)
    assert asked == [(window, [], (), ["elmo-tagging"], [])]
    assert stopped == ([folder] if choice is QuitChoice.STOP else [])
    monkeypatch.setattr("gui.main_window.ask", lambda *_: QuitChoice.KEEP)


def test_who_closes_while_a_job_is_at_work_keeps_waiting_with_enter(qtbot, make_run):
    for runs, studies in (([], []), ([make_run("bert")], ["elmo-tagging"])):
        dialog = QuitDialog(None, runs, [], studies, ["Export"])
        qtbot.addWidget(dialog)
        said = " ".join(part.text() for part in dialog.findChildren(QLabel))
        assert "ends with the window: Export." in said and all(name in said for name in studies)
        assert (QuitChoice.DISCARD in dialog.buttons) == bool(runs)
        with qtbot.waitActive(dialog):
            dialog.show()
        QTest.keyClick(dialog.windowHandle(), Qt.Key.Key_Return)
        assert not dialog.isVisible() and dialog.choice is QuitChoice.CANCEL


def test_the_end_of_a_run_is_heard_that_somebody_else_has_started(qtbot, make_window, make_run):
    window, run = make_window(), make_run("bert")
    window.session.add_run(run)
    other = subprocess.Popen(["sleep", "60"])
    write_atomically(run.path / "worker.json", json.dumps({"pid": other.pid, "created": psutil.Process(other.pid).create_time()}))
    writer = EventWriter(run.events_path)
    with qtbot.waitSignal(window.processes.changed):
        writer.write(Preparing(stage="starting", done=0, total=0))
    writer.close()
    assert window.processes.running() == [run]
    with qtbot.waitSignal(window.processes.ended):
        other.kill()
        other.wait()


@pytest.mark.parametrize("choice", [QuitChoice.KEEP, QuitChoice.STOP, QuitChoice.DISCARD])
def test_the_question_has_a_button_for_each_answer(qtbot, make_run, choice):
    dialog = QuitDialog(None, [make_run("bert")])
    qtbot.addWidget(dialog)
    assert dialog.choice is QuitChoice.CANCEL
    dialog.buttons[choice].click()
    assert dialog.choice is choice


def test_enter_lets_the_training_go_on(qtbot, make_run):
    dialog = QuitDialog(None, [make_run("bert")])
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
    QTest.keyClick(dialog.windowHandle(), Qt.Key.Key_Return)
    assert dialog.choice is QuitChoice.KEEP


def test_an_expected_error_is_a_card_and_an_unexpected_one_a_dialog(qtbot, make_window, monkeypatch):
    window = make_window()
    with window.messages.guard():
        raise UserError("It is full.", "Empty it.")
    assert window.messages.texts == [("It is full.", "Empty it.")]
    monkeypatch.setattr(sys, "stderr", None)  # as under pythonw
    window.messages._hook(ValueError, ValueError("nobody knew"), None)
    monkeypatch.undo()
    assert "nobody knew" in window.messages._dialog._trace.toPlainText()
    window.messages._dialog._copy()
    assert "nobody knew" in QApplication.clipboard().text()
    window.messages._dialog.accept()
    window.messages.clear()
    assert window.messages.texts == []


def test_a_card_can_offer_an_undo(qtbot, make_window):
    window, undone = make_window(), []
    window.messages.say("Deleted.", action="Undo", on_action=lambda: undone.append(True))
    window.messages._toasts[0]._act()
    assert undone
    assert window.messages.texts == []


def test_of_two_equal_cards_each_offers_its_own_undo(qtbot, make_window):
    window, undone = make_window(), []
    for number in (1, 2):
        window.messages.say("Deleted.", "A sentence.", action="Undo", on_action=lambda number=number: undone.append(number))
        window.messages.say("It is full.", "Empty it.")
    assert window.messages.texts == [("Deleted.", "A sentence."), ("It is full.", "Empty it."), ("Deleted.", "A sentence.")]
    for toast in reversed([toast for toast in window.messages._toasts if toast.text[0] == "Deleted."]):
        toast._act()
    assert undone == [2, 1]


def test_a_card_gives_the_keyboard_back(qtbot, make_window):
    window = make_window()
    window._dock._search.setFocus()
    with qtbot.waitActive(window):
        window.activateWindow()
    for key in (False, True):
        window.messages.say("Deleted.", action="Undo", on_action=int)
        undo = window.messages._toasts[0].findChild(QPushButton)
        if key:
            undo.setFocus(Qt.FocusReason.TabFocusReason)
            QTest.keyClick(window.windowHandle(), Qt.Key.Key_Space)
        else:
            qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
        assert window.messages.texts == [] and QApplication.focusWidget() is window._dock._search


def test_the_window_loads_no_library_that_could_take_it_down():
    done = subprocess.run([sys.executable, "-c", OPENS_THE_WINDOW], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


def test_styles_are_forgotten_only_once_the_parts_of_the_window_are_dead(make_window, monkeypatch):
    alive = []
    monkeypatch.setattr(theme, "_set_again", lambda: alive.append(shiboken6.isValid(part)))
    window = make_window()
    part = window.view
    window.close()
    window.deleteLater()
    _let_die()
    assert alive == [False]
