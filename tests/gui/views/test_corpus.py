from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QLabel, QSpinBox, QToolButton

from core import config
from core.config import TextConfig
from core.sizes import size_words
from core.text.statistics import statistics
from gui.views.corpus.file_rows import FileRow, MissingRow, sure_words
from gui.widgets.histogram import bars
from gui.widgets.tokens import Tokens
from tests.gui.direct_engine import DirectEngine, SilentEngine
from tests.gui.real_views import real_windows


@pytest.fixture
def make(monkeypatch):
    with real_windows(monkeypatch, DirectEngine) as found:
        yield found


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.txt").write_text("a cat sat\na dog ran\nthe zebra slept\n" * 30, encoding="utf-8")
    rows = ["question,answer,number"] + [f"what is number {n} here,it is the number {n},{n}" for n in range(30)]
    (tmp_path / "b.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "c.txt").write_bytes("今天天气很好，我们去公园散步，然后回家吃饭。\n".encode("gb18030") * 30)
    return tmp_path


def _rows(view, kind=FileRow):
    return [view._rows.itemAt(index).widget() for index in range(view._rows.count()) if isinstance(view._rows.itemAt(index).widget(), kind)]


def _texts(widget):
    return " ".join(label.text() for label in widget.findChildren(QLabel))


def test_it_begins_with_the_built_in_text_in_the_language_of_the_window(qtbot, make):
    view = make("corpus", "zh_CN").view
    assert view.config.corpus == "zh"
    qtbot.waitUntil(lambda: "的" in _texts(view._read))


def test_the_tabs_never_run_together(qtbot, make):
    window = make("corpus")
    window.resize(window.minimumSize())
    pages = window.view._pages
    qtbot.waitUntil(lambda: window.width() == window.minimumWidth() and pages.is_folded)
    window.resize(1600, 900)
    qtbot.waitUntil(lambda: not pages.is_folded)


def test_the_settings_do_not_cover_what_is_read_with_large_words_in_a_small_window(qtbot, make):
    window = make("corpus")
    window.resize(window.minimumSize())
    window.zoom(0.5)
    view = window.view
    split = view._settings.parentWidget()
    qtbot.waitUntil(lambda: window.width() == window.minimumWidth() and view._settings.width() > 200)
    right = split.widget(1)
    qtbot.waitUntil(lambda: view._settings.geometry().right() < right.x() and right.geometry().right() < split.width())


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_nothing_of_the_settings_is_cut_with_large_words_in_a_small_window(qtbot, make, files, language):
    window = make("corpus", language)
    window.zoom(0.5)
    window.resize(1024, 700)
    view = window.view
    bar, name, field = view._settings.horizontalScrollBar(), *(view._form._rows["vocab_size"].findChildren(kind)[0] for kind in (QLabel, QSpinBox))
    qtbot.waitUntil(lambda: window.width() == 1024 and bar.maximum() == 0 and view._source.is_folded)
    assert name.mapTo(view, name.rect().bottomLeft()).y() < field.mapTo(view, field.rect().topLeft()).y()
    view.add_paths([str(files / "a.txt"), str(files / "b.csv")])
    qtbot.waitUntil(lambda: len(_rows(view)) == 2 and bar.maximum() == 0)
    window.resize(1500, 800)
    qtbot.waitUntil(lambda: not view._source.is_folded and bar.maximum() == 0
                    and name.mapTo(view, name.rect().topRight()).x() < field.mapTo(view, field.rect().topLeft()).x())


def test_added_files_show_how_they_are_read(qtbot, make, files):
    window = make("corpus")
    window.view.add_paths([str(files / "a.txt"), str(files / "c.txt")])
    qtbot.waitUntil(lambda: len(_rows(window.view)) == 2)
    assert "gb18030" in _texts(_rows(window.view)[1])
    assert "a cat sat" in _texts(window.view._read)
    assert window.session.text.files == (str(files / "a.txt"), str(files / "c.txt"))
    row = _rows(window.view)[1]
    qtbot.mouseClick(row, Qt.MouseButton.RightButton, pos=QPoint(9, 9))
    assert window.view._selected == str(files / "a.txt")
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton, pos=QPoint(9, 9))
    assert "公园" in _texts(window.view._read)


def test_until_the_added_files_are_read_nobody_is_asked_to_add_some(qtbot, monkeypatch, files):
    with real_windows(monkeypatch, SilentEngine) as found:
        view = found("corpus").view
        view._source.button("files").click()
        assert "Add files to see" in _texts(view._read)
        view.add_paths([str(files / "a.txt")])
        qtbot.waitUntil(lambda: "Reading the text..." in _texts(view._read) and "Reading the text..." in _texts(view._counts))


def test_where_a_look_is_refused_no_page_says_that_the_text_is_being_read(qtbot, monkeypatch):
    with real_windows(monkeypatch, SilentEngine) as found:
        view = found("corpus").view
        look = view._services.engine.calls[-1]
        assert look.place.endswith(":look") and all("Reading the text..." in _texts(page) for page in (view._read, view._seen, view._counts))
        look.on_error("The analysis process ended.", "Ask again.")
        assert all("The analysis process ended." in _texts(page) for page in (view._read, view._seen, view._counts))


def test_a_column_is_chosen_at_the_file(qtbot, make, files):
    window = make("corpus")
    view = window.view
    view.add_paths([str(files / "b.csv")])
    qtbot.waitUntil(lambda: bool(_rows(view)))
    assert "Which column" in _texts(_rows(view)[0])
    assert not view._go.isEnabled() and view._go.toolTip() == "Some files cannot be read yet."
    menu = _rows(view)[0].findChild(QToolButton, "columns").menu()
    menu.actions()[1].trigger()
    assert window.session.text.columns == ("answer",)
    qtbot.waitUntil(lambda: bool(_rows(view)) and _rows(view)[0].look.column == "answer")
    assert view._go.isEnabled() and not view._go.toolTip()
    _rows(view)[0].findChild(QToolButton, "columns").menu().actions()[0].trigger()
    assert window.session.text.columns == ("question", "answer")


def test_what_is_wrong_with_a_path_stands_in_the_list_and_can_be_removed(qtbot, make, files):
    window = make("corpus")
    view = window.view
    view.add_paths([str(files / "a.txt"), str(files / "gone.txt")])
    qtbot.waitUntil(lambda: len(_rows(view, MissingRow)) == 1)
    assert view._counts.currentWidget() is not view._counts._scroll
    _rows(view, MissingRow)[0].removed.emit(str(files / "gone.txt"))
    qtbot.waitUntil(lambda: not _rows(view, MissingRow) and bool(_rows(view)))
    assert view.config.files == (str(files / "a.txt"),)


def test_files_can_be_dropped(qtbot, make, files):
    view = make("corpus").view
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(files))])
    event = QDropEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    view.dropEvent(event)
    assert view.config.files == (str(files),)
    qtbot.waitUntil(lambda: len(_rows(view)) == 3)


def test_a_small_text_is_counted_by_itself_and_unknown_tokens_are_marked(qtbot, make, files):
    window = make("corpus")
    view = window.view
    (files / "a.txt").write_text("a cat sat\na cat ran\na zebra sat\n" + "a cat sat\n" * 20, encoding="utf-8")
    view.add_paths([str(files / "a.txt")])
    view._form.set_values({"tokenizer": "word"})
    view._form.changed.emit()
    qtbot.waitUntil(lambda: view._counted_for == view.config, timeout=10_000)
    assert "23" in _texts(view._counts)
    found = replace(statistics(view.config), coverage=0.999_99)  # as of a long text: not all of it
    for page, show in ((view._counts, view._counts.show_statistics), (view._seen, view._seen.show_examples)):
        show(found)
        assert ">99.99% of the tokens" in _texts(page)
    shown = [token for tokens in view._seen.findChildren(Tokens) for token in tokens._tokens]
    assert "[UNK]" in shown
    assert "cat" in shown


def test_a_large_text_waits_for_the_button(qtbot, make, files, monkeypatch):
    monkeypatch.setattr("gui.views.corpus.view.AUTOMATIC_BYTES", 10)
    view = make("corpus").view
    view.add_paths([str(files / "a.txt")])
    qtbot.waitUntil(lambda: bool(_rows(view)))
    assert view._counted_for is None
    view._count_button.click()
    qtbot.waitUntil(lambda: view._counted_for == view.config)


def test_counting_can_be_cancelled(qtbot, files, monkeypatch):
    with real_windows(monkeypatch, SilentEngine) as make:
        window = make("corpus")
        window.view._count()
        assert window.view._progress.isVisible()
        window.view._count_progress("reading", 5, 10)
        assert window.view._bar.value() == 500
        asked = window.view._counting
        window.view._cancel_count()
        assert not window.view._progress.isVisible()
        assert not asked.wanted


def test_the_encoding_can_be_named(qtbot, make, files):
    window = make("corpus")
    window.view.add_paths([str(files / "c.txt")])
    window.view._encoding.setCurrentIndex(window.view._encoding.findData("big5"))
    window.view._encoding.activated.emit(window.view._encoding.currentIndex())
    assert window.session.text.encoding == "big5"


def test_a_wrong_value_keeps_the_text_from_being_trained_on(qtbot, make):
    window = make("corpus")
    before = window.session.text
    window.view._form.editor("vocab_size").set_value(3)
    assert not window.view._go.isEnabled()
    assert window.session.text == before
    assert window.view._form.error_at("vocab_size")


def test_files_are_added_and_read_while_a_value_is_refused(qtbot, make, files):
    window = make("corpus")
    view = window.view
    size = view._form.editor("vocab_size")
    size.set_value(3)
    for name in ("a.txt", "c.txt"):
        view.add_paths([str(files / name)])
    qtbot.waitUntil(lambda: len(_rows(view)) == 2)
    view.remove_path(str(files / "c.txt"))
    qtbot.waitUntil(lambda: len(_rows(view)) == 1 and "a cat sat" in _texts(view._read))
    assert not view._go.isEnabled() and view._form.error_at("vocab_size")
    view._source.button("en").click()
    qtbot.waitUntil(lambda: not _rows(view) and bool(view._look.builtin))
    view._source.button("files").click()
    size.set_value(4000)
    assert window.session.text.files == (str(files / "a.txt"),) and window.session.text.vocab_size == 4000 and view._go.isEnabled()


def test_training_on_the_text_hands_it_to_the_train_view(qtbot, make, files):
    window = make("corpus")
    window.view.add_paths([str(files / "a.txt")])
    window.view._go.click()
    assert window._name == "train"
    assert window.session.draft.text.files == (str(files / "a.txt"),)


def test_the_text_is_still_there_in_another_language(qtbot, make, files):
    window = make("corpus")
    window.view.add_paths([str(files / "a.txt")])
    window.switch_language()
    assert window.view.config.files == (str(files / "a.txt"),)
    assert window.view._source.value == "files"


def test_a_look_at_the_built_in_text_takes_no_files_away(qtbot, make, files):
    window = make("corpus")
    given = str(files / "b.csv"), str(files / "a.txt")
    window.view.add_paths(list(given))
    window.view._change(columns=("answer",))
    window.view._source.button("zh").click()
    window.view._source.button("en").click()
    assert window.session.text.files == ()
    window.switch_theme()
    view = window.view
    view._source.button("files").click()
    assert (window.session.text.files, window.session.text.columns) == (given, ("answer",))
    qtbot.waitUntil(lambda: len(_rows(view)) == 2)
    view._source.button("en").click()
    view.add_paths([str(files / "c.txt")])  # dropped beside the built-in text
    assert window.session.text.files == (*given, str(files / "c.txt"))


def test_without_files_neither_documents_nor_counts_are_left(qtbot, make, files):
    view = make("corpus").view
    qtbot.waitUntil(lambda: view._counted_for == view.config)
    view._source.button("files").click()
    pages = (view._read, view._seen, view._counts)

    def empty():
        return all(page.currentWidget() is page._words and "Add files" in page._words.text() for page in pages)

    assert empty() and not view._go.isEnabled()
    view.add_paths([str(files / "a.txt")])
    qtbot.waitUntil(lambda: view._counted_for == view.config)
    assert not empty() and view._go.isEnabled()
    _rows(view)[0].removed.emit(str(files / "a.txt"))
    assert empty() and not view._go.isEnabled()
    qtbot.waitUntil(lambda: not _rows(view))
    assert empty(), "the engine has answered with the built-in text"
    view._source.button("en").click()
    qtbot.waitUntil(lambda: view._counted_for == view.config)
    assert view._read.currentWidget() is view._read._scroll and view._go.isEnabled()


def test_my_files_stay_chosen_while_there_are_none_yet(qtbot, make, files):
    window = make("corpus")
    for act in (window.switch_theme, window.switch_language):
        window.view._source.button("files").click()
        act()
        view = window.view
        assert view._source.value == "files" and view._drop.isVisibleTo(view) and not view._go.isEnabled()
        view._source.button("zh").click()
        view.add_paths([str(files / "a.txt")])
        view.remove_path(str(files / "a.txt"))
        act()
        assert window.view._source.value == "files"
    window.show_view("start")
    window.switch_theme()
    window.session.text = TextConfig(corpus="en")  # chosen elsewhere meanwhile
    window.show_view("corpus")
    assert window.view._source.value == "en"


def test_train_on_this_text_means_this_one_also_after_a_copy_of_a_run_on_another(qtbot, make, files):
    window = make("corpus")
    window.view.add_paths([str(files / "a.txt")])
    window.view._go.click()
    window.session.hand_over(config.build("bert", options={"text.files": (str(files / "c.txt"),)}))
    window.view._show("live")
    window.show_view("corpus")
    window.view._go.click()
    assert window.session.draft.text.files == (str(files / "a.txt"),)
    assert window.view._pages.value == "new"


@pytest.mark.parametrize(("size", "words"), [(12, "12 B"), (1500, "1.5 KB"), (23_000_000, "23 MB"), (3_400_000_000, "3.4 GB")])
def test_sizes(size, words):
    assert size_words(size) == words


def test_how_sure_an_encoding_is():
    assert sure_words(1.0, "byte order mark") == "byte order mark"
    assert "70%" in sure_words(0.7, "looks like it")


def test_the_bars_of_a_histogram():
    assert bars(np.zeros(5, int)) == ([], False)
    found, open_ended = bars(np.array([0, 0, 5, 3, 0]))
    assert found == [(2, 2, 5), (3, 3, 3)]
    assert not open_ended
    counts = np.ones(300, int)
    counts[299] = 1
    found, open_ended = bars(counts)
    assert len(found) <= 60
    assert sum(count for _, _, count in found) == 300
    assert open_ended
    assert bars(np.array([0, 0, 5, 3]))[1]  # the last count is of all longer ones too
