from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu

from core.text.specimens import Specimen, read_specimens, write_specimens
from gui import specimen_store as store
from gui import theme
from gui.edges.specimen_dialog import SpecimenDialog
from gui.edges.specimens_list import INDEX_ROLE, SpecimenModel, rows_of

SPECIMENS = [Specimen(word="quay", sense="river", text="We sat on the quay."),
             Specimen(word="quay", sense="money", text="The quay lent us money.", hard=True),
             Specimen(word="quay", sense="river", text="A quay of the Thames.")]


@pytest.fixture
def window(make_window):
    made = make_window()
    store.save("quay", SPECIMENS)
    made._dock.choose("quay")
    return made


def _texts(window):
    model = window._dock._model
    return [model.index(row).data() for row in range(model.rowCount())]


def test_the_model_obeys_qt(qtmodeltester, qapp):
    model = SpecimenModel()
    model.set_rows(rows_of(tuple(SPECIMENS), ("river", "money"), ["River", "Money"], "", False))
    qtmodeltester.check(model)


def test_the_list_is_grouped_by_sense(window):
    assert _texts(window) == ["river  2", "We sat on the quay.", "A quay of the Thames.", "money  1", "The quay lent us money."]


@pytest.mark.parametrize("zoom", [1.5, 2.0])
def test_how_many_sentences_there_are_is_whole_with_large_words(qtbot, window, zoom):
    window.resize(window.minimumWidth(), 700)
    window.zoom(zoom - 1.0)
    dock = window._dock
    window.session.specimens = SPECIMENS * 400
    row, count = dock._count.parentWidget(), dock._count
    lines = Qt.TextFlag.TextWordWrap if count.wordWrap() else 0

    def is_whole():
        words = count.fontMetrics().boundingRect(0, 0, count.width(), 1000, lines, count.text())
        return words.width() <= count.width() and words.height() <= count.height() and count.geometry().right() < row.width()

    qtbot.waitUntil(is_whole)
    assert row.geometry().right() < dock.width() - theme.M


def test_filter_and_hard_only(qtbot, window):
    window._dock._search.setText("THAMES")
    assert _texts(window) == ["river  1", "A quay of the Thames."]
    window._dock._search.clear()
    qtbot.mouseClick(window._dock._hard, Qt.MouseButton.LeftButton)
    assert _texts(window) == ["money  1", "The quay lent us money."]


@pytest.mark.parametrize("switch", ["switch_theme", "switch_language"])
def test_only_the_hard_ones_are_shown_in_another_look_and_language_too(qtbot, window, switch):
    qtbot.mouseClick(window._dock._hard, Qt.MouseButton.LeftButton)
    getattr(window, switch)()
    qtbot.waitUntil(lambda: _texts(window)[1:] == ["The quay lent us money."])
    assert window._dock._hard.isChecked()


def test_a_click_selects_for_all_and_the_session_selects_in_the_list(qtbot, window):
    dock, seen = window._dock, []
    window.session.selectionChanged.connect(lambda: seen.append(window.session.selected))
    place = dock._list.visualRect(dock._model.place_of(1)).center()
    qtbot.mouseClick(dock._list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert seen == [1]
    window.session.selected = 2
    assert dock._list.currentIndex().data(INDEX_ROLE) == 2


def test_a_heading_cannot_be_selected(qtbot, window):
    place = window._dock._list.visualRect(window._dock._model.index(0)).topLeft() + QPoint(30, 5)
    qtbot.mouseClick(window._dock._list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.session.selected == -1


def test_deleting_can_be_undone_and_is_kept(window):
    window.session.selected = 0
    window._dock._delete()
    assert [item.text for item in store.specimens_of("quay")] == [item.text for item in SPECIMENS[1:]]
    window.messages._toasts[-1]._act()
    assert store.specimens_of("quay") == SPECIMENS
    assert window.session.selected == 0


def test_deleting_leaves_the_list_where_it_is(qtbot, window):
    dock, session = window._dock, window.session
    session.specimens = [Specimen(word="quay", sense=sense, text=f"Sentence {number} on a {sense} quay.")
                         for number in range(60) for sense in ("river", "money")]
    session.selected = 5  # of the second sense; the index is that of one of the first when it is gone
    bar = dock._list.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() > 0)
    place = bar.value()
    dock._delete()
    dock._list.doItemsLayout()
    assert bar.value() == place


def test_undo_puts_back_one_sentence_whatever_was_changed_since(window):
    dock, session = window._dock, window.session
    for _ in range(2):
        session.selected = 0
        dock._delete()
    undo_first, undo_second = (toast._act for toast in window.messages._toasts[-2:])
    dock._change([*session.specimens, Specimen(word="quay", sense="river", text="A new quay.")], 1)
    dock.choose("pier")
    undo_second()
    assert session.word == "pier" and session.specimens == ()
    undo_first()
    dock.choose("quay")
    assert {item.text for item in session.specimens} == {item.text for item in SPECIMENS} | {"A new quay."}


@pytest.mark.parametrize("deed", ["_delete", "_mark_hard", "add"])
def test_what_another_window_has_written_meanwhile_stays(window, deed):
    theirs = Specimen(word="quay", sense="money", text="The quay  of another window.")
    store.save("quay", [*SPECIMENS, theirs])
    window.session.selected = 0
    if deed == "add":
        window._dock._change([*SPECIMENS, Specimen(word="quay", sense="river", text="A new quay.")], 3)
    else:
        getattr(window._dock, deed)(*[True] * (deed == "_mark_hard"))
    left = {"_delete": SPECIMENS[1:], "_mark_hard": SPECIMENS}.get(deed, [*SPECIMENS, Specimen(word="quay", sense="river", text="A new quay.")])
    assert [item.text for item in store.specimens_of("quay")] == [*(item.text for item in left), "The quay of another window."]
    window._dock.choose("quay")
    window._dock._change(list(window.session.specimens), 0)
    assert len(store.specimens_of("quay")) == len(left) + 1


def test_what_was_deleted_while_the_disk_was_full_does_not_come_back(window, monkeypatch):
    def full(*_):
        raise OSError("No space left")

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", full)
        window.session.selected = 0
        window._dock._delete()
    assert store.specimens_of("quay") == SPECIMENS
    window.switch_theme()
    window.session.selected = 0
    window._dock._mark_hard(False)
    assert [item.text for item in store.specimens_of("quay")] == [item.text for item in SPECIMENS[1:]]


@pytest.mark.parametrize(("language", "first"), [("en", "apple"), ("zh_CN", "苹果")])
def test_the_words_of_the_windows_language_stand_first(make_window, language, first):
    window = make_window(language=language)
    assert window.session.word == store.words()[0] == first


def test_a_word_whose_last_sentence_is_deleted_takes_no_other_along(window):
    dock, session = window._dock, window.session
    built_in = next(word for word in store.words() if store.builtin_specimens(word))
    store.save(built_in, [Specimen(word=built_in, sense="a", text=built_in)])
    for word in ("quay", built_in):
        dock.choose(word)
        while session.specimens:
            session.selected = 0
            dock._delete()
    window.messages.clear()
    dock.choose("quay")
    dock.choose(built_in)
    dock._fill_menu()
    assert window.messages.texts == [] and session.word == built_in and session.specimens == ()
    assert dock._menu.actions()[-1].isEnabled()  # back to the built-in sentences
    assert dock._words.count() > 20


def test_a_damaged_file_of_ours_hides_no_other_word(window):
    store.own_path("quay").write_text("no header\n", encoding="utf-8")
    window._dock._show_words()
    assert window._dock._words.count() > 20 and "no column" in window.messages.texts[-1][0]


def test_a_sense_is_deleted_with_its_sentences_and_comes_back_whatever_was_changed_since(window):
    dock, session = window._dock, window.session
    session.selected = 1
    dock._search.setText("Thames")  # what the filter hides goes too
    dock._fill_menu()
    names = [action.text() for action in dock._senses_menu.actions()]
    dock._senses_menu.actions()[names.index("river")].trigger()
    assert list(session.specimens) == store.specimens_of("quay") == [SPECIMENS[1]] and session.specimen == SPECIMENS[1]
    undo = window.messages._toasts[-1]._act
    session.selected = 0
    dock._relabel("bank")
    undo()
    now = store.specimens_of("quay")
    assert [now[0], now[2]] == [SPECIMENS[0], SPECIMENS[2]] and now[1].sense == "bank"
    assert session.senses == ("river", "bank")


def test_a_sense_is_renamed_keeps_its_colour_and_gets_its_name_back_whatever_was_changed_since(window, monkeypatch):
    dock, session = window._dock, window.session
    monkeypatch.setattr(QInputDialog, "getText", lambda *arguments, **options: (" waterside ", True))
    dock._search.setText("Thames")  # what the filter hides is renamed too
    dock._fill_menu()
    names = [action.text() for action in dock._names_menu.actions()]
    dock._names_menu.actions()[names.index("river")].trigger()
    assert [item.sense for item in session.specimens] == [item.sense for item in store.specimens_of("quay")] == ["waterside", "money", "waterside"]
    assert session.senses == ("waterside", "money"), "the place gives the colour"
    undo = window.messages._toasts[-1]._act
    session.selected = 2
    dock._relabel("bank")
    undo()
    assert [item.sense for item in store.specimens_of("quay")] == ["river", "money", "bank"]
    assert session.senses == ("river", "money", "bank")


def test_a_sense_with_the_name_of_another_becomes_one_with_it_and_can_be_parted_again(window, monkeypatch):
    dock, session = window._dock, window.session
    monkeypatch.setattr(QInputDialog, "getText", lambda *arguments, **options: ("money", True))
    dock._rename_sense("river")
    assert session.senses == ("money",) and len(store.specimens_of("quay")) == 3
    window.messages._toasts[-1]._act()
    assert list(session.specimens) == store.specimens_of("quay") == SPECIMENS
    assert session.senses == ("river", "money")


def test_of_one_sentence_in_both_senses_each_gets_its_own_back(window, monkeypatch):
    both = [*SPECIMENS, replace(SPECIMENS[0], sense="money")]
    store.save("quay", both)
    window._dock.choose("quay")
    window.session.specimens = both
    monkeypatch.setattr(QInputDialog, "getText", lambda *arguments, **options: ("money", True))
    window._dock._rename_sense("river")
    assert [item.sense for item in store.specimens_of("quay")] == ["money"] * 4
    window.messages._toasts[-1]._act()
    assert store.specimens_of("quay") == both


@pytest.mark.parametrize("typed", [("bank", False), ("  ", True), ("river", True)])
def test_a_sense_that_gets_no_other_name_stays_as_it_is(window, monkeypatch, typed):
    monkeypatch.setattr(QInputDialog, "getText", lambda *arguments, **options: typed)
    window._dock._rename_sense("river")
    assert list(window.session.specimens) == SPECIMENS and not window.messages._toasts


def test_the_heading_of_a_sense_offers_to_delete_it(qtbot, window, monkeypatch):
    class Menu(QMenu):
        def exec(self, _place):
            return next(action for action in self.actions() if action.text().startswith("Delete"))

    dock = window._dock
    monkeypatch.setattr("gui.edges.specimens_dock.QMenu", Menu)
    dock._list.customContextMenuRequested.emit(dock._list.visualRect(dock._model.index(3)).center())
    assert list(window.session.specimens) == [SPECIMENS[0], SPECIMENS[2]]


def test_equal_sentences_can_both_be_brought_back(window):
    dock, session = window._dock, window.session
    store.save("quay", [SPECIMENS[0], SPECIMENS[0], SPECIMENS[1]])
    dock.choose("quay")
    for _ in range(2):
        session.selected = 0
        dock._delete()
    for _ in range(2):
        window.messages._toasts[-1]._act()
    assert list(session.specimens) == store.specimens_of("quay") == [SPECIMENS[0], SPECIMENS[0], SPECIMENS[1]]


def test_relabel_and_mark_as_hard(window):
    window.session.selected = 0
    window._dock._relabel("money")
    window._dock._mark_hard(True)
    changed = window.session.specimens[0]
    assert (changed.sense, changed.hard) == ("money", True)
    assert window.session.selected == 0
    assert store.specimens_of("quay")[0] == changed


def test_a_changed_sentence_can_be_taken_back_whatever_was_changed_since(window):
    dock, session = window._dock, window.session
    session.selected = 2
    dock._relabel("money")
    undo = window.messages._toasts[-1]._act
    session.selected = 0
    dock._delete()
    undo()
    assert store.specimens_of("quay") == list(session.specimens) == SPECIMENS[1:]
    assert session.specimen == SPECIMENS[2]


def test_what_was_changed_twice_is_taken_back_from_the_end_or_the_reason_is_said(window):
    dock, session = window._dock, window.session
    for first_of_all in (False, True):
        window.messages.clear()
        session.selected = 0
        dock._relabel("money")
        dock._mark_hard(True)
        undo_first, undo_second = (toast._act for toast in window.messages._toasts)
        if first_of_all:
            undo_first()
            assert "changed again" in window.messages.texts[-1][0] and session.specimen.hard
            undo_second()
        else:
            undo_second()
            undo_first()
            assert list(session.specimens) == SPECIMENS


def test_enter_edits_the_chosen_sentence_and_delete_deletes_it(qtbot, window, monkeypatch):
    edited = []
    monkeypatch.setattr(SpecimenDialog, "exec", lambda dialog: edited.append(dialog._text.text()))
    with qtbot.waitActive(window):
        window.show()
    sentences = window._dock._list
    sentences.setFocus()
    window.session.selected = 1
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        qtbot.keyClick(sentences, key)
    assert edited == [SPECIMENS[1].text] * 2
    qtbot.keyClick(sentences, Qt.Key.Key_Delete)
    assert list(window.session.specimens) == [SPECIMENS[0], SPECIMENS[2]]


def test_a_new_sentence_must_hold_the_word(qtbot, window):
    dialog = SpecimenDialog(window, "quay", ("river", "money"), None)
    qtbot.addWidget(dialog)
    dialog._text.setText("Nothing of it.")
    dialog.accept()
    assert dialog.specimen is None
    assert dialog._error.text()
    dialog._text.setText("My quay is closed.")
    dialog._sense.setEditText("a third")
    dialog.accept()
    assert dialog.specimen == Specimen(word="quay", sense="a third", text="My quay is closed.")


@pytest.mark.parametrize(("search", "only_hard", "left"), [("Thames", False, ""), ("", True, ""), ("my quay", False, "my quay")])
def test_a_new_sentence_is_seen_whatever_was_filtered(window, monkeypatch, search, only_hard, left):
    def write(dialog):
        dialog._text.setText("My quay is closed.")
        dialog.accept()
        return True

    dock = window._dock
    monkeypatch.setattr(SpecimenDialog, "exec", write)
    dock._search.setText(search)
    dock._hard.setChecked(only_hard)
    dock._add()
    assert dock._list.currentIndex().data() == "My quay is closed." and dock._search.text() == left and not dock._hard.isChecked()


def test_a_built_in_sense_is_known_by_its_title_whatever_stands_around_it(qtbot, make_window):
    window = make_window(language="zh_CN")
    dialog = SpecimenDialog(window, "苹果", ("fruit", "company"), None)
    dialog._text.setText("我买了一个苹果。")
    dialog._sense.setEditText(f" {store.sense_title('苹果', 'company')} ")
    dialog.accept()
    assert dialog.specimen.sense == "company"


@pytest.mark.parametrize("sense", ["money", "a third"])
def test_enter_keeps_the_sentence(qtbot, window, sense):
    dialog = SpecimenDialog(window, "quay", ("river", "money"), None)
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
    qtbot.keyClicks(dialog._text, "Nothing of it.")
    QTest.keyClick(dialog.windowHandle(), Qt.Key.Key_Return)
    assert dialog.isVisible() and dialog._error.text()
    dialog._text.setText("My quay is closed.")
    dialog._sense.lineEdit().selectAll()
    dialog._sense.setFocus()
    qtbot.keyClicks(dialog._sense.lineEdit(), sense)
    QTest.keyClick(dialog.windowHandle(), Qt.Key.Key_Return)
    assert dialog.specimen == Specimen(word="quay", sense=sense, text="My quay is closed.")


def test_a_file_of_specimens_is_taken_over(window, tmp_path):
    write_specimens(tmp_path / "mine.tsv", [Specimen(word="spring", sense="season", text="It is spring.")])
    window._dock.open_file(tmp_path / "mine.tsv")
    assert window.session.word == "spring"
    assert [item.text for item in window.session.specimens] == ["It is spring."]
    window.messages._toasts[-1]._act()
    assert store.specimens_of("spring") == store.builtin_specimens("spring") and not store.is_changed("spring")


def test_a_file_that_replaces_own_sentences_can_be_taken_back(window, tmp_path):
    write_specimens(tmp_path / "mine.tsv", [Specimen(word="quay", sense="river", text="One quay.")])
    window._dock.open_file(tmp_path / "mine.tsv")
    assert len(store.specimens_of("quay")) == 1
    window.messages._toasts[-1]._act()
    assert store.specimens_of("quay") == list(window.session.specimens) == SPECIMENS


def test_who_takes_a_file_back_looks_at_the_same_word_as_before(window, tmp_path):
    write_specimens(tmp_path / "mine.tsv", [Specimen(word="wharf", sense="river", text="One wharf.")])
    window._dock.open_file(tmp_path / "mine.tsv")
    window.messages._toasts[-1]._act()
    assert window.session.word == "quay" and list(window.session.specimens) == SPECIMENS
    assert window._dock._words.findText("wharf") < 0


def _own_version(window):
    """A built-in word without its first sentence, and the sentences that are left."""
    word = next(word for word in store.words() if not store.is_changed(word))
    window._dock.choose(word)
    window.session.selected = 0
    window._dock._delete()
    return word, list(window.session.specimens)


@pytest.mark.parametrize("switch", ["switch_theme", "switch_language"])
def test_a_file_and_the_built_in_sentences_can_be_taken_back_in_another_look_and_language_too(qtbot, window, tmp_path, switch):
    write_specimens(tmp_path / "mine.tsv", [Specimen(word=word, sense="river", text=f"One {word}.") for word in ("quay", "wharf")])
    window._dock.open_file(tmp_path / "mine.tsv")
    getattr(window, switch)()
    qtbot.waitUntil(lambda: window._dock._words.findText("wharf") >= 0)
    window.messages._toasts[-1]._act()
    assert list(window.session.specimens) == SPECIMENS and not store.is_changed("wharf")
    assert window._dock._words.findText("wharf") < 0
    word, own = _own_version(window)
    window._dock._reset()
    getattr(window, switch)()
    window.messages._toasts[-1]._act()
    assert list(window.session.specimens) == store.specimens_of(word) == own


def test_what_is_written_before_a_file_or_the_built_in_sentences_are_taken_back_stays(window, tmp_path):
    def write(word):
        made = Specimen(word=word, sense="river", text=f"My {word}, written since.")
        window._dock._change([*window.session.specimens, made], 0)
        return made

    write_specimens(tmp_path / "mine.tsv", [Specimen(word=word, sense="river", text=f"One {word}.") for word in ("quay", "wharf")])
    window._dock.open_file(tmp_path / "mine.tsv")
    quay = write("quay")
    window._dock.choose("wharf")
    wharf = write("wharf")
    window.messages._toasts[-1]._act()
    assert store.specimens_of("quay") == [*SPECIMENS, quay] and store.specimens_of("wharf") == [wharf]
    word, own = _own_version(window)
    window._dock._reset()
    made = write(word)
    window.messages._toasts[-1]._act()
    assert list(window.session.specimens) == store.specimens_of(word) == [*own, made]


def test_sentences_are_saved_under_a_name_that_they_are_found_by_again(window, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda _parent, _title, name, _kinds: (asked.append(name) or str(tmp_path / "mine"), ""))
    window.session.word = "and/or"
    window._dock._save_as()
    assert read_specimens(tmp_path / "mine.tsv") == SPECIMENS and asked == ["and_or.tsv"]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "nowhere" / "mine.tsv"), ""))
    window._dock._save_as()
    assert "cannot be written" in window.messages.texts[-1][0]


def test_a_damaged_file_is_a_message(window, tmp_path):
    (tmp_path / "bad.tsv").write_text("no header\n")
    window._dock.open_file(tmp_path / "bad.tsv")
    assert window.messages.texts
    assert window.session.word == "quay"


def test_built_in_sentences_come_back(window):
    word = next(word for word in store.words() if not store.is_changed(word))
    window._dock.choose(word)
    window.session.selected = 0
    count = len(window.session.specimens)
    window._dock._delete()
    assert store.is_changed(word)
    window._dock._reset()
    window.messages._toasts[0]._act()  # the undo of what is back already
    assert len(window.session.specimens) == count
    assert not store.is_changed(word)
    window.messages._toasts[-1]._act()
    assert len(window.session.specimens) == len(store.specimens_of(word)) == count - 1


def test_a_word_with_no_sentences_is_empty_not_an_error(window):
    window._dock.choose("zyzzyva")
    assert window.session.specimens == ()
    assert _texts(window) == []


def test_own_files_can_be_read_by_the_command_line_too(window):
    assert read_specimens(store.own_path("quay")) == SPECIMENS
