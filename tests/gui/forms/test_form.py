from __future__ import annotations

from dataclasses import dataclass, fields

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QVBoxLayout, QWidget

from core import i18n
from core.config import TextConfig, TrainConfig, WatchConfig, check, option
from core.errors import UserError
from core.families.bert.config import BertConfig, BertObjective
from core.families.elmo.config import ElmoConfig, ElmoObjective
from gui.forms.editors import show_number, show_value, split_items
from gui.forms.form import Form
from gui.forms.option_titles import error_in_titles, in_titles, option_titles
from gui.widgets.section import Section


@dataclass(frozen=True, kw_only=True)
class Example:
    count: int = option(3, "A number.", min=1, max=9)
    rate: float = option(0.5, "A share.", min=0, max=1)
    on: bool = option(True, "A switch.")
    kind: str = option("a", "A choice.", choices=("a", "b"))
    names: tuple[str, ...] = option((), "Some names.")
    secret: str = option("kept", "Not shown.", hidden=True)
    late: int = option(1, "For experts.", advanced=True, max=5)

    def __post_init__(self) -> None:
        check(self)
        if self.count == 5:
            raise UserError("Five is taken.", "Take six.", where="example.rate")


@pytest.fixture
def form(qtbot):
    made = Form(Example)
    qtbot.addWidget(made)
    made.show()
    return made


def test_defaults_make_the_default_object(form):
    assert form.config() == Example()


def test_values_come_back(form):
    values = {"count": 4, "rate": 2e-05, "on": False, "kind": "b", "names": ("x", "y z"), "secret": "other", "late": 2}
    form.set_values(values)
    assert form.values() == values
    assert form.config() == Example(**values)


@pytest.mark.parametrize("kind", [TextConfig, WatchConfig, BertConfig, BertObjective])
def test_the_real_configs_come_back(qtbot, kind):
    made = Form(kind)
    qtbot.addWidget(made)
    made.set_config(kind())
    assert made.config() == kind()


def test_set_values_sends_no_changed_and_editing_does(qtbot, form):
    with qtbot.assertNotEmitted(form.changed):
        form.set_values({"count": 4})
    with qtbot.waitSignals([form.changed, form.checked]):
        form.editor("count").inner.setValue(6)


def test_a_wrong_value_stands_at_its_field(form):
    form.editor("count").inner.setValue(50)
    assert form.config() is None
    assert "50" in form.error_at("count")
    assert form.error_at("rate") == ""
    form.editor("count").inner.setValue(2)
    assert form.error_at("count") == ""
    assert form.config() is not None


def test_text_that_is_no_number_is_refused_in_words(form):
    form.editor("rate").inner.setText("many")
    assert form.config() is None
    assert "many" in form.error_at("rate")
    assert form.values()["rate"] == "many"


def test_a_check_over_fields_is_shown_where_it_says(form):
    form.editor("count").inner.setValue(5)
    assert "Take six." in form.error_at("rate")


def test_an_error_at_an_advanced_field_unfolds_it(form):
    assert not form.editor("late").isVisible()
    form.editor("late").inner.setValue(6)
    assert form.editor("late").isVisible()


def test_an_error_of_elsewhere_is_shown_beneath(form):
    assert not form.show_error(UserError("Nothing fits.", where="another"))
    assert form._problem.isVisible()
    assert "Nothing fits." in form._problem.text()


def test_hidden_fields_have_no_editor_but_keep_their_value(form):
    assert "secret" not in form.names()
    assert form.config().secret == "kept"


def test_train_config_needs_an_end(qtbot):
    made = Form(TrainConfig)
    qtbot.addWidget(made)
    assert made.config() is None
    assert made.error_at("minutes")
    made.editor("minutes").inner.setText("1e-1")
    assert made.config().minutes == 0.1


def test_what_has_the_keyboard_has_the_name_and_the_help_of_its_option(form):
    for name, help_ in (("count", "A number."), ("rate", "A share."), ("on", "A switch."), ("kind", "A choice."), ("names", "Some names.")):
        inner = form.editor(name).focusProxy()
        assert inner.accessibleName() == form.editor(name).accessibleName() != ""
        assert inner.accessibleDescription() == help_


def test_the_wheel_scrolls_the_page_and_changes_nothing(form):
    inner = form.editor("count").inner
    inner.clearFocus()
    event = QWheelEvent(QPointF(5, 5), QPointF(5, 5), QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(inner, event)
    assert inner.value() == 3


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("width", [420, 520, 700])
def test_the_help_of_no_option_is_cut_in_a_section(qtbot, language, width):
    i18n.set_language(language)
    page = QWidget()
    column = QVBoxLayout(page)
    section = Section("Text", unfolded=True)
    section.column.addWidget(Form(TextConfig))
    column.addWidget(section)
    column.addStretch(1)
    scroll = QScrollArea(widgetResizable=True)
    scroll.setWidget(page)
    qtbot.addWidget(scroll)
    scroll.resize(width, 300)
    scroll.show()
    QApplication.processEvents()
    assert not [part.text() for part in page.findChildren(QLabel) if part.isVisible() and part.height() < part.heightForWidth(part.width())]


@pytest.mark.parametrize(("value", "text"), [
    (0.001, "0.001"), (2e-05, "2e-05"), (15.0, "15"), (0.1 + 0.2, "0.30000000000000004")])
def test_numbers_are_shown_without_loss(value, text):
    assert show_number(value) == text
    assert float(show_number(value)) == value


@pytest.mark.parametrize(("value", "text"), [(1_000_000, "1000000"), (0, "0"), (2e-05, "2e-05"), (True, "on")])
def test_whole_numbers_are_shown_as_they_stand_in_their_field(value, text):
    assert show_value("steps", value) == text


def test_items_are_split_at_any_comma():
    assert split_items("苹果，三星、 a , b,") == ("苹果", "三星", "a", "b")


@pytest.mark.parametrize("kind", [TextConfig, TrainConfig, WatchConfig, BertConfig, BertObjective, ElmoConfig, ElmoObjective])
def test_every_option_has_a_title_for_people(kind):
    missing = {item.name for item in fields(kind) if not item.metadata.get("hidden")} - set(option_titles())
    assert not missing


@pytest.mark.parametrize(("language", "said"), [
    ("en", "Hidden size is 130, which 4 attention heads cannot share evenly. Make Hidden size a multiple of Attention heads."),
    ("zh_CN", "隐藏维度为 130，无法由 4 个注意力头平分。请让隐藏维度成为注意力头数的整数倍。")])
def test_an_error_speaks_of_the_titles_that_stand_in_the_form(qtbot, language, said):
    i18n.set_language(language)
    made = Form(BertConfig)
    qtbot.addWidget(made)
    made.set_values({"hidden_size": 130, "num_heads": 4})
    assert made.error_at("hidden_size") == said
    made.editor("dropout").inner.setText("many")
    assert made.error_at("dropout").startswith({"en": "Dropout cannot be 'many'", "zh_CN": "随机失活不能是“many”"}[language])


def test_only_names_of_options_become_titles():
    assert in_titles("0 means hidden_size.") == "0 means Hidden size."
    kept = "Write --set hidden_size=128, or 'num_heads', in /home/seq_len/batch_size.txt; the word is in no window."
    assert in_titles(kept) == kept
    assert error_in_titles(UserError("window is 0.", "Choose a window.", where="objective.window")) == "Window is 0. Choose a window."
