"""The other pages of the senses: the film, the deciding words, the two sides, the layers, the probe, and proposed senses."""

from __future__ import annotations

import gc
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from core import i18n, registry
from core.analysis import live
from core.analysis.film import course
from core.analysis.layers import curves_of_run
from core.analysis.probe import probe_of_run
from core.analysis.window import bag
from core.pictures import film
from core.runs import Run
from core.text.specimens import Specimen, read_specimens, write_specimens
from core.train import worker
from gui import saving, theme
from gui import specimen_store as store
from gui.jobs import CANCELLED, Jobs
from gui.messages import Messages
from gui.run_process import Processes
from gui.run_watcher import RunWatcher
from gui.session import Session
from gui.settings import Settings
from gui.views import Services
from gui.views.senses.find import FIND
from gui.views.senses.group import GroupCard
from gui.views.senses.view import PAGES, SensesView
from gui.views.senses.words import _pieces
from gui.widgets.line_chart import Band, Line, LineChart
from tests.gui.direct_engine import DirectEngine, SilentEngine
from tests.helpers import runs as helpers
from tests.helpers.saved import saved_run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A tiny run of each family, trained for a few steps; nothing here needs them to be good."""
    patch = pytest.MonkeyPatch()
    patch.setattr(worker, "_listen", lambda: lambda: False)
    patch.setenv("LEXISCOPE_HOME", str(tmp_path_factory.mktemp("home")))
    made = {}
    for family in ("word2vec", "elmo", "gpt", "bert"):
        made[family] = helpers.make_run(tmp_path_factory.mktemp(family), family, probes=4)
        assert worker.work(made[family].path) == 0
    patch.undo()
    registry.load("sklearn.cluster:KMeans")
    return made


@pytest.fixture
def view(qtbot, trained: dict[str, Run]) -> Iterator[Callable[..., SensesView]]:
    """view(page, *families): shown with these runs on the bench."""
    kept: list[Any] = []

    def make(page: str, *families: str, specimens: list[Specimen] | None = None) -> SensesView:
        window = QWidget()
        qtbot.addWidget(window)
        services = Services(engine=DirectEngine(), aside=DirectEngine(), jobs=Jobs(DirectEngine), watcher=RunWatcher(), processes=Processes(),
                            messages=Messages(window), settings=Settings(), navigate=lambda name: None)
        session = Session()
        runs = [trained[family] for family in families]
        session.look_at("苹果", read_specimens(runs[0].specimens_path) if specimens is None else specimens)
        for run in runs:
            session.add_run(run)
        services.settings.set("senses/state", json.dumps({"page": page}))
        made = SensesView(session, services)
        qtbot.addWidget(made)
        kept.extend((made, services, window))
        made.resize(812, 600)
        made.show()
        settle(qtbot, made, page)
        return made

    yield make
    for item in kept:
        if isinstance(item, Services):
            item.processes.close()
            item.engine.close()
    kept.clear()
    gc.collect()


def settle(qtbot, made: SensesView, page: str) -> None:
    timer = getattr(made.page(page), "_redraw", None) or made.page(page)._timer
    qtbot.waitUntil(lambda: not timer.isActive() and not made._shared.answers._asked, timeout=20_000)


ALL = ("word2vec", "elmo", "gpt", "bert")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_bears_nothing_one_specimen_and_one_sense(view, qtbot, page: str) -> None:
    made = view(page, "gpt", specimens=[Specimen(word="苹果", sense="fruit", text="妈妈吃了一口苹果。")])
    made.grab()
    session = made._shared.session
    session.specimens = [Specimen(word="苹果", sense="fruit", text=text) for text in ("妈妈吃了一口苹果。", "苹果很甜。")]
    settle(qtbot, made, page)
    said = " ".join(part.text() for part in made.page(page).findChildren(QLabel) if part.isVisible())
    if page not in ("film", "find", "points"):
        assert ("two labels" if page == "probe" else "same sense") in said
    session.remove_run(session.bench[0].path)
    session.look_at("", ())
    settle(qtbot, made, page)
    made.grab()
    assert made._shared.services.messages._dialog is None


@pytest.mark.parametrize("page", PAGES)
def test_every_page_fits_beside_the_specimens_of_the_smallest_window(view, qtbot, page: str) -> None:
    made = view(page, *ALL)
    assert made.minimumSizeHint().width() <= 556
    made.resize(556, 500)
    qtbot.waitUntil(lambda: made.tabs.is_folded)
    made.tabs._list.setCurrentIndex(4)
    made.tabs._list.activated.emit(4)
    assert made.page("layers").isVisible()


def test_the_page_is_remembered(view) -> None:
    made = view("layers", "gpt")
    made.tabs.button("sides").click()
    assert json.loads(made._shared.services.settings.get("senses/state"))["page"] == "sides"
    assert made.page("sides").isVisible() and not made.page("layers").isVisible()


# points: other projections, the badge, the typed sentence

def test_another_projection_moves_the_points_and_keeps_the_figures(view, qtbot) -> None:
    made = view("points", "elmo")
    page = made.page("points")
    panel, = page.panels.values()
    before, figures = panel.xy.copy(), panel.chart.accessibleName()
    assert "trust" in panel.badge.text() and "Trustworthiness" in panel.badge.toolTip()
    page._projections.button("tsne").click()
    settle(qtbot, made, "points")
    assert not np.allclose(panel.xy, before) and np.isfinite(panel.xy).all() and panel.chart.accessibleName() == figures
    made._shared.choices.direction = "backward"
    settle(qtbot, made, "points")
    assert panel._layer.text().endswith("←")


def test_a_view_that_is_left_keeps_no_other_waiting_and_goes_on_when_it_is_shown_again(view, qtbot, monkeypatch) -> None:
    made = view("points", "gpt")
    answers, asked = made._shared.answers, []
    monkeypatch.setattr(answers._engine, "call", lambda _place, keywords, **_: asked.append(keywords["questions"]))  # it never answers
    newest = ("step", made._shared.session.bench[0].run.probe_steps()[-1])
    answers._kept = {one: found for one, found in answers._kept.items() if one[0] != "figures" or newest in one[1]}
    made.page("points")._draw()
    later = asked[-1]
    assert later and not answers._urgent
    made.hide()
    assert asked[-1] == []
    made.show()
    qtbot.waitUntil(lambda: asked[-1] == later)


def test_another_projections_or_layers_points_never_stand_for_those_on_their_way(view, qtbot) -> None:
    made = view("points", "bert")
    page, session = made.page("points"), made._shared.session
    panel, = page.panels.values()
    for layer, name in ((1, "pca"), (2, "tsne"), (1, "tsne")):
        session.layer = layer
        page._projections.button(name).click()
        page._draw()  # before there is an answer
        if name == "tsne":
            assert not panel.is_drawn and panel.message.text() == "Laying out the points..." and page._rows()[1] == []
        settle(qtbot, made, "points")
        assert panel.is_drawn and {tuple(row[1:4]) for row in page._rows()[1]} == {(layer, name, 0)}
        assert np.allclose([row[-2:] for row in page._rows()[1]], panel.xy)
    session.step = 0
    page._draw()
    assert panel.is_drawn  # the replay does not flicker


def test_the_place_is_set_aside_by_a_switch(view, qtbot) -> None:
    made = view("points", "elmo")
    page = made.page("points")
    panel, = page.panels.values()
    before, figures = panel.xy.copy(), panel.chart.accessibleName()
    page.controls.pictures.aside.switch.click()
    settle(qtbot, made, "points")
    assert not np.allclose(panel.xy, before) and panel.chart.accessibleName() == figures  # the figures say both in any case
    assert panel.scatter._axes[1].text().endswith("place aside") and "Place aside" in figures
    header, rows = page._rows()
    assert {row[header.index("place_aside")] for row in rows} == {1} and np.allclose([row[-2:] for row in rows], panel.xy)
    made.tabs.button("film").click()
    settle(qtbot, made, "film")
    assert made.page("film").film.reels[0].title.endswith("place aside")
    made.page("film").controls.aside.switch.click()
    made.tabs.button("points").click()
    settle(qtbot, made, "points")
    assert np.allclose(panel.xy, before)


def test_a_typed_sentence_has_its_point_in_every_panel(view, qtbot) -> None:
    made = view("points", *ALL)
    page = made.page("points")
    panels = list(page.panels.values())
    page._strip.begin("妈妈吃了")
    qtbot.waitUntil(lambda: all("not come yet" in panel.badge.text() for panel in panels))
    assert all(panel.scatter.guest is None for panel in panels)
    page._strip.edit.setText("妈妈吃了一口苹果。")
    qtbot.waitUntil(lambda: all(panel.scatter.guest is not None for panel in panels))
    first = [panel.scatter.guest for panel in panels]
    session = made._shared.session
    session.layer, session.step = 1, 4
    placed = [live.place(str(item.path), session.specimens, "妈妈吃了一口苹果。", "苹果", session.layer_of(item.run), 4)["xy"]
              for item in session.bench]
    qtbot.waitUntil(lambda: all(np.allclose(panel.scatter.guest, xy) for panel, xy in zip(panels, placed, strict=True)))
    assert not np.allclose(first[3], placed[3])
    firsts = [item.run.checkpoint_steps()[0] for item in session.bench]
    assert [panel.badge.text() for panel in panels] == [f"Seen at the saved checkpoint of step {step}." for step in firsts]
    session.layer, session.step = -1, None
    qtbot.waitUntil(lambda: [panel.scatter.guest for panel in panels] == first)
    assert not any("checkpoint" in panel.badge.text() for panel in panels)
    page._strip.edit.setText("看苹果的发布会。")
    qtbot.waitUntil(lambda: panels[3].scatter.guest != first[3])
    assert panels[0].scatter.guest == first[0]  # word2vec: one vector
    qtbot.waitUntil(lambda: panels[3].scatter._glide.state() == panels[3].scatter._glide.State.Stopped)
    page._projections.button("tsne").click()
    qtbot.waitUntil(lambda: all(panel.scatter.guest is None for panel in panels))
    assert "Only PCA" in panels[1].badge.text()
    page._strip.end()
    assert "Only PCA" not in panels[1].badge.text()


def test_the_point_of_a_typed_sentence_follows_a_run_that_learns_and_a_new_panel(view, qtbot, tmp_path, trained, monkeypatch) -> None:
    run, text = saved_run(tmp_path, "bert", steps=(20, 40), probes=(20, 40)), "妈妈吃了一口苹果。"
    for later in (run.probe_path(40), run.checkpoint_path(40)):
        later.rename(later.with_name("later"))
    monkeypatch.setitem(trained, "learning", run)
    made = view("points", "learning")
    page, session = made.page("points"), made._shared.session

    def is_at(basis_step: int) -> bool:
        wanted = live.place(str(run.path), session.specimens, text, "苹果", session.layer_of(run), session.step, basis_step)
        guest = page.panels[run.path].scatter.guest
        return guest is not None and np.allclose(guest, wanted["xy"])

    page._strip.begin(text)
    qtbot.waitUntil(lambda: is_at(20))
    for later in (run.probe_path(40), run.checkpoint_path(40)):
        later.with_name("later").rename(later)
    page._timer.soon()  # as it is told of what has been saved
    qtbot.waitUntil(lambda: is_at(40))
    before = page.panels[run.path]
    session.set_bench([replace(session.bench[0], colour=2)])
    qtbot.waitUntil(lambda: page.panels[run.path] is not before and is_at(40))


def test_the_point_of_a_typed_sentence_lies_in_the_plane_that_is_drawn(view, qtbot, tmp_path, trained, monkeypatch) -> None:
    """The plane stays while an earlier step is looked at and the run learns on."""
    run, text = saved_run(tmp_path, "bert", steps=(20, 40, 60), probes=(20, 40, 60)), "妈妈吃了一口苹果。"
    run.probe_path(60).rename(run.probe_path(60).with_name("later"))
    monkeypatch.setitem(trained, "learning", run)
    made = view("points", "learning")
    page, session = made.page("points"), made._shared.session
    session.step = 20
    settle(qtbot, made, "points")
    run.probe_path(60).with_name("later").rename(run.probe_path(60))
    page._timer.soon()
    settle(qtbot, made, "points")
    page._strip.begin(text)
    wanted = live.place(str(run.path), session.specimens, text, "苹果", session.layer_of(run), 20, 40)["xy"]
    panel = page.panels[run.path]
    qtbot.waitUntil(lambda: panel.scatter.guest is not None and np.allclose(panel.scatter.guest, wanted))


def test_the_words_come_by_themselves(view, qtbot, monkeypatch: pytest.MonkeyPatch) -> None:
    made = view("points", "gpt")
    page = made.page("points")
    page._strip.begin("妈妈吃苹果")
    page._live._words.setInterval(5)
    page._strip.play.click()
    assert page._strip.edit.text() == "妈妈"
    qtbot.waitUntil(lambda: page._strip.edit.text() == "妈妈吃苹果" and not page._live._words.isActive())


# the film

def test_the_film_plays_all_runs_with_a_cursor_under_it(view, qtbot) -> None:
    made = view("film", *ALL)
    page, session = made.page("film"), made._shared.session
    assert len(page.film.reels) == 4 and all(len(reel.auc) == len(reel.steps) and None not in reel.auc for reel in page.film.reels)
    for item, reel in zip(session.bench, page.film.reels, strict=True):
        wanted = course(str(item.path), session.specimens, session.layer_of(item.run))
        assert (list(reel.steps), list(reel.auc)) == (wanted["steps"], wanted["auc"])
    last = [panel.xy.copy() for panel in page.panels.values()]
    session.step = 0
    assert page._chart.cursor_at == 0 and page.panels[session.bench[3].path]._step.text() == "step 0"
    assert not np.allclose(page.panels[session.bench[3].path].xy, last[3]) and np.allclose(page.panels[session.bench[0].path].xy, last[0])
    page._timer.setInterval(1)
    page._play.click()
    qtbot.waitUntil(lambda: not page._timer.isActive(), timeout=10_000)
    assert session.step is None and np.allclose(page.panels[session.bench[3].path].xy, last[3])
    page._chart.moved.emit(4.0)
    assert session.step == 4
    page.hide()
    session.step = 0  # moved while another page is looked at
    page.show()
    assert page._chart.cursor_at == 0
    page._play.click()
    session.layer = 1  # while it plays: there is no film until the answers come
    page._reels.clear()
    page._advance()
    page._play.click()


def test_a_point_of_several_sentences_is_drawn_as_among_the_points(view, qtbot, tmp_path: Path) -> None:
    texts = (("fruit", "苹果很甜。"), ("company", "苹果的手机。"), ("fruit", "苹果树。"), ("fruit", "妈妈吃了一口苹果。"),
             ("company", "老师看苹果的发布会。"))
    made = view("points", "gpt", specimens=[Specimen(word="苹果", sense=sense, text=text, hard=number == 0)
                                            for number, (sense, text) in enumerate(texts)])
    points, = made.page("points").panels.values()
    for name in ("pca", "tsne"):
        made.page("points")._projections.button(name).click()
        settle(qtbot, made, "points")
        made.tabs.button("film").click()
        settle(qtbot, made, "film")
        panel, = made.page("film").panels.values()
        looks = [(one.scatter._categories.tolist(), one.scatter._hard.tolist(), [note.toPlainText() for note in one.scatter._notes.values()])
                 for one in (points, panel)]
        assert looks[0] == looks[1] == ([-1, 0, 1], [False] * 3, ["×3"]) and len(panel.xy) == 3
        assert panel.scatter._cards[0].count("苹果") == 3
        made.tabs.button("points").click()
        settle(qtbot, made, "points")
    film.write_svg(made.page("film").film, tmp_path / "film.svg")
    drawn = (tmp_path / "film.svg").read_text(encoding="utf-8")
    assert drawn.count("animateTransform") == 3 and ">×3<" in drawn


def test_a_new_name_is_in_the_legend_and_in_what_leaves(view, qtbot) -> None:
    made = view("film", "gpt", "bert")
    page, session = made.page("film"), made._shared.session
    run = session.bench[1].run
    session.refresh_run(Run(run.path, replace(run.config, name="another name")))
    settle(qtbot, made, "film")
    assert page._chart._lines[1].name == page.film.reels[1].title == page._rows()[1][-1][0] == "BERT · another name"
    assert "another name" in page.panels[run.path].toolTip()


def test_a_long_name_takes_no_room_from_the_other_runs_of_a_film(view, qtbot, trained, tmp_path: Path) -> None:
    made, run = view("film", "bert"), trained["bert"]
    shutil.copytree(run.path, tmp_path / "other")
    made._shared.session.add_run(Run(tmp_path / "other", replace(run.config, name="a name that is long " * 5)))
    settle(qtbot, made, "film")
    made.grab()  # lays it out
    left, right = (panel.width() for panel in made.page("film").panels.values())
    assert abs(left - right) <= 1 and made.width() == 812


@pytest.mark.parametrize("page", ["film", "words", "sides"])
def test_two_runs_of_one_family_bear_their_names(view, qtbot, trained, tmp_path: Path, page: str) -> None:
    made = view(page, "gpt", "bert")
    session, run = made._shared.session, trained["bert"]

    def said() -> set[str]:
        return {part.text() for part in made.page(page).findChildren(QLabel) if part.isVisible() and part.property("role") == "large"}

    qtbot.waitUntil(lambda: said() >= {"GPT", "BERT"})
    shutil.copytree(run.path, tmp_path / "other")
    for name in ("the second", "of another name"):
        other = Run(tmp_path / "other", replace(run.config, name=name))
        session.refresh_run(other)
        session.add_run(other)
        qtbot.waitUntil(lambda name=name: "BERT" not in said() and said() >= {"GPT", run.name, name})
    session.remove_run(run.path)
    qtbot.waitUntil(lambda: said() >= {"GPT", "BERT"})
    settle(qtbot, made, page)


def test_the_film_leaves_as_gif_webp_png_and_moving_svg(view, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    made = view("film", "gpt", "bert")
    page = made.page("film")
    monkeypatch.setattr("core.pictures.film.FRAMES", 5)
    monkeypatch.setattr(type(page.film), "times", lambda self, frames=5: np.linspace(0, 12, 5))
    for suffix in (".svg", ".gif", ".webp", ".png"):
        monkeypatch.setattr(saving, "ask_path", lambda *_, name=f"film{suffix}": str(tmp_path / name))
        page.save(suffix)
        qtbot.waitUntil(lambda: not page._export.busy and not made._shared.services.jobs.running(), timeout=10_000)
    drawing = QSvgRenderer(str(tmp_path / "film.svg"))
    text = (tmp_path / "film.svg").read_text(encoding="utf-8")
    assert drawing.isValid() and drawing.animated() and ">GPT" in text and ">苹果<" in text
    for name in ("film.gif", "film.webp"):
        with Image.open(tmp_path / name) as image:
            assert 3 <= image.n_frames <= 5 and image.size == (page._board.width(), page._board.height())  # equal frames are joined
    assert len(list(tmp_path.glob("film-*.png"))) == 5 and not QImage(str(tmp_path / "film-0001.png")).isNull()
    monkeypatch.setattr(saving, "ask_path", lambda *_: str(tmp_path / "nowhere" / "film.gif"))
    page.save(".gif")
    qtbot.waitUntil(lambda: not page._export.busy and not made._shared.services.jobs.running(), timeout=10_000)
    assert not (tmp_path / "nowhere").exists() and any("cannot be written" in words for words, _ in made._shared.services.messages.texts)


def test_a_film_is_written_whatever_is_looked_at_meanwhile(view, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    made = view("film", "gpt", "bert")
    page, services, session = made.page("film"), made._shared.services, made._shared.session
    monkeypatch.setattr(type(page.film), "times", lambda self, frames=5: np.linspace(0, 12, 5))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("seen", "unseen"):
        monkeypatch.setattr(saving, "ask_path", lambda *_, name=name: str(tmp_path / f"{name}.png"))
        page.save(".png")
        assert page._export.busy and services.jobs.under_way() == [f"film {tmp_path / name}.png"]  # who closes the window now is asked
        if name == "unseen":
            made.tabs.button("layers").click()
            session.remove_run(session.bench[0].path)
            page.save(".gif")
            assert "still being drawn" in services.messages.texts[-1][0] and page._export.busy
        qtbot.waitUntil(lambda name=name: len(list(tmp_path.glob(f"{name}-*.png"))) == 5 and not services.jobs.running(), timeout=10_000)
        assert f"{name}-0001.png ... {name}-0005.png" in services.messages.texts[-1][0]
    for seen, unseen in zip(sorted(tmp_path.glob("seen-*.png")), sorted(tmp_path.glob("unseen-*.png")), strict=True):
        with Image.open(seen) as one, Image.open(unseen) as other:
            assert one.size == other.size and one.tobytes() == other.tobytes()
    qtbot.waitUntil(lambda: not list(tmp_path.glob("lexiscope-film-*")))
    assert not services.jobs.under_way()
    made.tabs.button("film").click()
    settle(qtbot, made, "film")
    assert len(page.panels) == len(page.film.reels) == 1


def test_a_film_whose_view_goes_before_its_frames_are_drawn_is_said_to_be_lost(view, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = view("film", "gpt")
    page, messages = made.page("film"), made._shared.services.messages
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(saving, "ask_path", lambda *_: str(tmp_path / "film.gif"))
    page.save(".gif")
    export = page._export
    page.setParent(None)
    page.deleteLater()
    qtbot.waitUntil(lambda: any("not written" in words for words, _ in messages.texts))
    assert not list(tmp_path.iterdir()) and not export.busy
    export.stop()  # of a message that still stands there


# the deciding words

def test_each_word_is_hidden_and_coloured(view, qtbot) -> None:
    made = view("words", *ALL)
    page, session = made.page("words"), made._shared.session
    word2vec, elmo, gpt, bert = (page.panels[item.path] for item in session.bench)
    assert page._edit.text() == session.specimens[0].text
    assert "same vector whatever is hidden" in word2vec.words.text() and not any(word2vec.tokens._colours)
    assert "taken out" in elmo.words.text() and "[MASK]" in bert.words.text() and "score" in bert._score.text()
    assert len(bert.rows) == len([token for token in bert.tokens._tokens if token.isalnum()]) - 1
    assert bert.tokens._tokens[bert.tokens._selected] == "苹果"
    session.selected = 3
    settle(qtbot, made, "words")
    assert page._edit.text() == session.specimens[3].text
    page.set_sentence("没有这个词")
    settle(qtbot, made, "words")
    assert "does not stand in the sentence" in gpt.words.text() and not gpt.tokens._tokens
    page.set_sentence("苹果" + "很甜吃" * 500)
    settle(qtbot, made, "words")
    assert "400" in gpt.words.text()


def test_the_word_that_matters_most_may_speak_for_the_other_sense(view, qtbot) -> None:
    made = view("words", "gpt")
    panel, = made.page("words").panels.values()
    found = {"words": [(0, 2), (2, 3)], "changes": [-0.177, 0.173], "score": -0.21, "sense": "company", "other": "fruit", "how": "remove",
             "same": False}
    panel.show_answer(found, "没削去苹果", "苹果", ["fruit", "company"])
    assert "“没削” matters most: -0.18. " in panel.words.text()
    panel.show_answer({**found, "changes": [-0.01, 0.012]}, "没削去苹果", "苹果", ["fruit", "company"])
    assert "No single word" in panel.words.text()


def test_a_sentence_in_pieces() -> None:
    text = "我吃，苹果！ok"
    assert [text[a:b] for a, b in _pieces(text, "苹果", [(0, 1), (1, 2), (6, 8)])] == ["我", "吃", "，", "苹果", "！", "ok"]


# the two sides

def test_who_cannot_see_a_side_is_told_with_its_figure(view, qtbot) -> None:
    made = view("sides", *ALL)
    page, session = made.page("sides"), made._shared.session
    path = {item.run.config.family: item.path for item in session.bench}
    said = {key: page.cells[path[family], direction, place].words.text() for key, (family, direction, place) in {
        "gpt after": ("gpt", "both", 1), "gpt before": ("gpt", "both", 0), "forward after": ("elmo", "forward", 1),
        "backward before": ("elmo", "backward", 0), "backward after": ("elmo", "backward", 1), "w": ("word2vec", "both", 0)}.items()}
    for key in ("gpt after", "forward after", "backward before", "w"):
        assert "Cannot know" in said[key] and ("e-" in said[key] or "(by 0)" in said[key]), said
    for key in ("gpt before", "backward after"):
        assert "Has read it" in said[key]
    page.set_sentences("苹果", "没有")
    settle(qtbot, made, "sides")
    assert "Nothing stands before" in page.cells[path["gpt"], "both", 0].words.text()
    assert "does not stand in the sentence" in page.cells[path["gpt"], "both", 1].words.text()
    page._senses.button("company").click()
    settle(qtbot, made, "sides")
    assert page._edits[0].text() == "手机和平板都是苹果"


# the layers and the probe

def test_the_layers_have_curves_and_two_controls(view, qtbot) -> None:
    made = view("layers", *ALL)
    page = made.page("layers")
    settle(qtbot, made, "layers")
    lines = {line.name.split()[0]: line for line in page._board.chart._lines}
    assert {name: len(line.x) for name, line in lines.items()} == {"word2vec": 1, "ELMo": 3, "GPT": 3, "BERT": 3}
    assert lines["word2vec"].y == [0.5] and [band.name.split(",")[0] for band in page._board.chart._bands] == ["shuffled labels", "bag of context"]
    for measure in ("auc", "self_similarity", "anisotropy", "adjusted"):
        page._measures.button(measure).click()
        settle(qtbot, made, "layers")
        assert len(page._board.chart._lines) == 4 and all(value is not None for line in page._board.chart._lines for value in line.y)
    assert "drawn at random" in page._board.note.text()


def test_the_curves_over_the_layers_and_their_controls_are_those_of_the_measure_and_the_step(view, qtbot) -> None:
    made = view("layers", "gpt", "elmo")
    page, session = made.page("layers"), made._shared.session
    bags = [bag(str(item.path), (), session.specimens) for item in session.bench]
    for step, measure, key in ((0, "auc", "shuffled_auc"), (None, "centroid_accuracy", "shuffled_accuracy")):
        session.step = step
        page._measures.button(measure).click()
        settle(qtbot, made, "layers")
        wanted = [curves_of_run(str(item.path), session.specimens, session.step_of(item.run.probe_steps()))["layers"] for item in session.bench]
        chart = page._board.chart
        assert [line.y for line in chart._lines] == [[layer[measure] for layer in one] for one in wanted]
        intervals = [[layer["interval"] for layer in one] if measure == "centroid_accuracy" else [] for one in wanted]
        assert [list(line.interval) for line in chart._lines] == intervals
        shuffled, *others = chart._bands
        assert shuffled.low == [min(one[place][key][0] for one in wanted) for place in range(3)]
        assert shuffled.high == [max(one[place][key][1] for one in wanted) for place in range(3)]
        reached = [one["all"][measure] if measure == "auc" else np.mean(one["all"]["interval"]) for one in bags]
        assert [np.mean([band.low[0], band.high[0]]) for band in others] == pytest.approx(reached), "each its own, though they have one name"
        assert chart._level[0] == 0.5


def test_runs_of_one_name_and_unlike_depth_have_their_curves(view, qtbot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "name", "the same")
    made = view("layers", "bert", "word2vec")
    settle(qtbot, made, "layers")
    assert sorted(len(line.x) for line in made.page("layers")._board.chart._lines) == [1, 3]


def test_the_probe_stands_beside_its_control(view, qtbot, tmp_path: Path) -> None:
    made = view("probe", "gpt", "bert")
    page = made.page("probe")
    for number, item in enumerate(made._shared.session.bench):
        wanted = probe_of_run(str(item.path), made._shared.session.specimens)["layers"]
        lines = page._board.chart._lines[2 * number:2 * number + 2]
        assert [line.y for line in lines] == [[layer[name] for layer in wanted] for name in ("accuracy", "control")]
        best = max(wanted, key=lambda layer: layer["selectivity"])
        assert f"selectivity {best['selectivity']:.0%} (layer {wanted.index(best)})" in page._board.note.text()
    assert [line.dashed for line in page._board.chart._lines] == [False, True, False, True, True] and "selectivity" in page._board.note.text()
    assert "each sentence a random label" in page._board.note.text()
    assert "company 6, fruit 6" in page._board.note.text()
    i18n.set_language("zh_CN")
    page._draw()
    assert "公司 6" in page._board.note.text() and "company" not in page._board.note.text(), "the senses' titles"
    i18n.set_language("en")
    rows = [f"{word}\t{item.text}\t{tag}" for item in made._shared.session.specimens for word, tag in (("苹果", "noun"), (item.text[:2], "name"))]
    (tmp_path / "pos.tsv").write_text("\n".join(["word\ttext\tlabel", *rows]), encoding="utf-8")
    page.open_file(tmp_path / "pos.tsv")
    settle(qtbot, made, "probe")
    assert "noun 12" in page._board.note.text() and "wherever it stands" in page._board.note.text()
    (tmp_path / "bad.tsv").write_text("a\tb\n", encoding="utf-8")
    page.open_file(tmp_path / "bad.tsv")
    settle(qtbot, made, "probe")
    assert "has no column" in page._board.message.text()


def test_what_the_probe_reads_off_is_whole_in_a_narrow_window_with_large_words(view, qapp) -> None:
    theme.apply(qapp, "light", 1.5)
    made = view("probe", "gpt")
    made.resize(404, 460)  # what a window of 1024 pixels leaves
    qapp.processEvents()
    title = made.page("probe")._title
    assert title.text() == "Read off the vectors:" and title.width() >= title.fontMetrics().horizontalAdvance(title.text())


def test_the_chart_bears_gaps_one_point_and_a_cursor(qtbot) -> None:
    chart = LineChart()
    qtbot.addWidget(chart)
    chart.resize(400, 200)
    chart.set_lines([Line(name="a", colour="#ff0000", x=(0, 1, 2), y=(0.2, None, float("nan"))), Line(name="b", colour="#00ff00", x=(0,), y=(0.5,))],
                    bands=[Band(name="c", x=(0,), low=(0.1,), high=(0.3,))], level=(0.5, "chance"))
    chart.grab()
    heard = []
    chart.moved.connect(heard.append)
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=chart.rect().center())
    assert not heard
    chart.set_cursor(1.0)
    qtbot.mouseClick(chart, Qt.MouseButton.RightButton, pos=chart.rect().center())
    assert not heard
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=chart.rect().center())
    assert heard and 0.5 < heard[0] < 1.5
    chart.set_lines([])
    chart.grab()


# proposed senses

def test_what_is_asked_for_can_be_read(view, qtbot) -> None:
    page = view("find", "bert").page("find")
    page.setFixedWidth(790)
    page._run.setItemText(0, "BERT · apple · BERT")
    qtbot.waitUntil(lambda: all(choice.width() >= choice.sizeHint().width() for choice in (page._run, page._where, page._method, page._count)))


def test_no_sentence_of_a_group_is_cut(qtbot) -> None:
    card = GroupCard(0, "a", [], ["苹" * length for length in range(1, 60)], 59)
    qtbot.addWidget(card)
    card.show()
    choices = card._list
    for width in range(300, 330, 2):
        card.resize(width, 300)
        qtbot.waitUntil(lambda: max(choices.visualItemRect(choices.item(place)).right() for place in range(59)) < choices.viewport().width())


def test_proposed_senses_are_named_and_taken_over(view, qtbot, own_home: Path) -> None:
    made = view("find", "bert")
    page, session = made.page("find"), made._shared.session
    page._count.setCurrentIndex(page._count.findData(2))
    page._find.click()
    qtbot.waitUntil(lambda: not page.searching and bool(page.cards), timeout=20_000)
    before = len(session.specimens)
    assert len(page.cards) == 2 and "ARI" in page._status.text()
    page.cards[0].name.setText("one")
    page.cards[1].name.setText("")
    page.accept()
    assert len(session.specimens) == before  # a group has no name
    page.cards[1].name.setText("two")
    page.cards[1].tick(0, False)
    wanted = [text for card in page.cards for text in card.chosen]
    new = set(wanted) - {item.text for item in session.specimens}
    page.accept()
    assert {item.text for item in session.specimens[before:]} == new and {item.sense for item in session.specimens[before:]} <= {"one", "two"}
    assert store.specimens_of("苹果") == list(session.specimens)
    qtbot.waitUntil(lambda: not page._redraw.isActive())
    page.cards[0].put_aside()
    assert not page.cards[0].chosen


def test_the_names_of_proposed_senses_outlive_another_look(view, qtbot, own_home: Path) -> None:
    made = view("find", "bert")
    page, session = made.page("find"), made._shared.session
    page._count.setCurrentIndex(page._count.findData(2))
    page.find()
    qtbot.waitUntil(lambda: not page.searching and bool(page.cards), timeout=20_000)
    page.cards[0].name.setText("one")
    page.cards[0].tick(0, False)
    page.cards[1].put_aside()
    chosen, status = [card.chosen for card in page.cards], page._status.text()
    again = SensesView(session, made._shared.services)  # as the window makes it in another theme
    qtbot.addWidget(again)
    page = again.page("find")
    assert page.cards[0].name.text() == "one" and [card.chosen for card in page.cards] == chosen and page._status.text() == status
    session.look_at("花", ())
    other = SensesView(session, made._shared.services)
    qtbot.addWidget(other)
    assert not other.page("find").cards


def test_a_search_goes_on_while_the_view_is_made_anew(view, qtbot, own_home: Path) -> None:
    made = view("find", "bert")
    services, session = made._shared.services, made._shared.session
    made.page("find").find()
    services.jobs.changed.disconnect(made.page("find")._job_changed)  # as Qt does when the view dies
    again = SensesView(session, services)
    qtbot.addWidget(again)
    again.show_page("find")
    page = again.page("find")
    assert page.searching and page._find.text() == "Stop"
    qtbot.waitUntil(lambda: not page.searching and bool(page.cards), timeout=20_000)
    assert page._find.text() == "Find"


def test_what_is_found_for_another_word_than_the_chosen_is_nobodys(view, qtbot, own_home: Path, monkeypatch) -> None:
    made = view("find", "bert")
    page, session = made.page("find"), made._shared.session
    page.find()
    session.look_at("花", [Specimen(word="花", sense="flower", text="花开了。")])
    jobs = made._shared.services.jobs
    jobs.of(FIND).call.on_done({"texts": ["一个苹果。"], "groups": np.array([0]), "near": np.array([1.0]), "labels": [""], "words": [["个"]],
                                "silhouettes": {}, "ari": None, "specimens": [], "left_out": 0})
    page.accept()
    assert not page.cards and not store.is_changed("苹果") and len(session.specimens) == 1
    monkeypatch.setattr(DirectEngine, "_answer", lambda self, call: None)  # it takes its time
    page.find()
    job = jobs.of(FIND)
    session.look_at("苹果", ())
    qtbot.waitUntil(lambda: not page._redraw.isActive())
    assert job.state == CANCELLED and not page.searching and "苹果" in page._message.text()


def test_taking_back_what_was_taken_over_keeps_what_came_later(view, qtbot, own_home: Path) -> None:
    made = view("find", "bert")
    page, session = made.page("find"), made._shared.session
    page.find()
    qtbot.waitUntil(lambda: not page.searching and bool(page.cards), timeout=20_000)
    before = list(session.specimens)
    page.accept()
    later = Specimen(word="苹果", sense="fruit", text="后来的苹果。")
    session.specimens = [*session.specimens, later]
    made._shared.services.messages._toasts[-1]._act()
    assert list(session.specimens) == [*before, later] == store.specimens_of("苹果")


def test_what_cannot_be_grouped_is_said(view, qtbot) -> None:
    made = view("find", "word2vec")
    page = made.page("find")
    page.find()
    qtbot.waitUntil(lambda: not page.searching, timeout=20_000)
    assert "same vector" in page._message.text() and page._stack.currentIndex() == 1
    made._shared.session.look_at("香蕉", ())
    page.find()
    qtbot.waitUntil(lambda: not page.searching, timeout=20_000)
    assert "0 sentences" in page._message.text()


def test_the_engine_knows_every_question() -> None:
    from core.analysis.window import KINDS

    assert all(callable(registry.load(place)) for place in KINDS.values())


def test_what_is_taken_over_can_be_read_again(tmp_path: Path) -> None:
    made = [Specimen(word="苹果", sense="a b", text="一个 苹果")]
    write_specimens(tmp_path / "x.tsv", made)
    assert read_specimens(tmp_path / "x.tsv") == made


ORANGES = [Specimen(word="橘子", sense="a", text="橘子很甜。"), Specimen(word="橘子", sense="b", text="那个橘子很大。")]


def _silence(made: SensesView) -> SilentEngine:
    """From now on no page gets an answer by itself."""
    made._shared.answers._engine = SilentEngine()
    return made._shared.answers._engine


def test_a_film_whose_run_comes_back_can_be_played(view, qtbot) -> None:
    made = view("film", "gpt")
    page, session = made.page("film"), made._shared.session
    run = session.bench[0].run
    session.remove_run(run.path)
    settle(qtbot, made, "film")
    assert page.film is None
    session.add_run(run)
    qtbot.waitUntil(lambda: page.film is not None)
    page.toggle_play()
    assert page._timer.isActive()


def test_the_frames_of_a_film_have_one_size_whatever_becomes_of_the_window(view, qtbot, tmp_path, monkeypatch) -> None:
    made = view("film", "gpt")
    page, jobs = made.page("film"), made._shared.services.jobs
    monkeypatch.setattr(type(page.film), "times", lambda self, frames=30: np.linspace(0, 12, 30))
    monkeypatch.setattr(saving, "ask_path", lambda *_: str(tmp_path / "film.png"))
    page.save(".png")
    qtbot.waitUntil(lambda: len(page._export._files) >= 2)
    made.resize(1000, 760)
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("film-*.png"))) == 30 and not jobs.running(), timeout=20_000)
    assert len({QImage(str(path)).size().toTuple() for path in tmp_path.glob("film-*.png")}) == 1
    qtbot.waitUntil(lambda: page._board.width() > 900)  # it follows the window again


@pytest.mark.parametrize("how", ["refused", "forgotten"])
def test_a_page_that_waited_for_anothers_questions_asks_again_when_they_are_lost(view, qtbot, how: str) -> None:
    made = view("points", "bert")
    engine = _silence(made)
    made._shared.choices.set(aside=True)
    qtbot.waitUntil(lambda: len(engine.calls) == 1)
    made.show_page("layers")
    qtbot.wait(50)
    assert len(engine.calls) == 1
    if how == "refused":
        engine.calls[-1].on_error("The analysis process ended.", "")
    else:
        made._shared.answers.forget(str(made._shared.session.bench[0].path))
    qtbot.waitUntil(lambda: len(engine.calls) == 2)
    assert "layers" in [kind for kind, _ in engine.calls[-1].keywords["questions"]]


def test_figures_of_the_word_before_do_not_stand_under_another(view, qtbot) -> None:
    made = view("words", "bert")
    session, panels = made._shared.session, made.page("words")._panels
    for page in ("sides", "layers"):
        made.show_page(page)
        settle(qtbot, made, page)
    sides, layers = made.page("sides"), made.page("layers")
    path = session.bench[0].path
    assert panels[path].rows and layers._rows()[1] and any(cell.balance.lean is not None for cell in sides.cells.values())
    _silence(made)
    session.look_at("橘子", ORANGES)
    for page in ("words", "sides", "layers"):
        made.show_page(page)
        qtbot.wait(50)
    assert not panels[path].rows and not panels[path]._score.text() and "Hiding" in panels[path].words.text()
    assert all(cell.balance.lean is None for cell in sides.cells.values())
    assert not layers._rows()[1]


def test_while_one_types_the_answer_before_stays(view, qtbot) -> None:
    made = view("words", "bert")
    page = made.page("words")
    path = made._shared.session.bench[0].path
    page._edit.setText("妈妈吃了苹果。")
    page._typed(page._edit.text())
    qtbot.waitUntil(lambda: not page._wait.isActive())
    settle(qtbot, made, "words")
    rows = page._panels[path].rows
    _silence(made)
    page._edit.setText("妈妈吃了苹果。好")
    page._typed(page._edit.text())
    qtbot.wait(400)
    assert rows and page._panels[path].rows == rows


def test_what_is_answered_late_of_a_typed_sentence_is_dropped(view, qtbot) -> None:
    made = view("points", "bert")
    page = made.page("points")
    page._live._engine = engine = SilentEngine()
    page._strip.begin("苹果很甜。", focus=False)
    qtbot.waitUntil(lambda: len(engine.calls) > 0)
    made._shared.choices.projection = "tsne"
    panel = next(iter(page.panels.values()))
    qtbot.waitUntil(lambda: "Only PCA" in panel.badge.text())
    engine.calls[-1].on_done([{"xy": np.array([0.5, 0.5]), "step": 4, "cosines": [("fruit", 0.9), ("company", 0.1)]}])
    assert "Only PCA" in panel.badge.text()
    page._strip.end()
    engine.calls[-1].on_error("The analysis process ended.", "")
    assert not panel._guest_words


def test_what_is_typed_while_words_come_by_themselves_stays(view, qtbot) -> None:
    made = view("points", "bert")
    strip, live_words = made.page("points")._strip, made.page("points")._live._words
    strip.begin("妈妈买了一个苹果很甜", focus=False)
    strip.play.click()
    assert live_words.isActive()
    strip.edit.selectAll()
    QTest.keyClicks(strip.edit, "hello")
    assert strip.edit.text() == "hello" and not live_words.isActive()


def test_the_direction_stands_beside_a_run_as_it_is_asked(view, qtbot) -> None:
    made = view("find", "elmo")
    page = made.page("find")
    made._shared.choices.set(direction="forward")
    qtbot.waitUntil(lambda: page._run.itemText(0).endswith("→") and not page._run.itemText(0).endswith("→←"))
    assert page._run.itemData(0, Qt.ItemDataRole.ToolTipRole).endswith(" →")
    made.show_page("film")
    settle(qtbot, made, "film")
    assert "←" not in next(iter(made.page("film").panels.values())).toolTip()


def test_a_search_that_ended_while_another_word_was_looked_at_can_be_made_again(view, qtbot) -> None:
    made = view("find", "bert")
    page, session, jobs = made.page("find"), made._shared.session, made._shared.services.jobs
    jobs._make_engine = SilentEngine
    before = session.specimens
    page.find()
    job = jobs.of(FIND)
    jobs._progressed(job, "group", 0, 57)
    made.show_page("points")
    session.look_at("橘子", ORANGES)
    jobs._done(job, {"texts": ["一个苹果"]})
    session.look_at("苹果", before)
    made.show_page("find")
    qtbot.waitUntil(lambda: "put into groups" in page._message.text())


def test_who_opens_the_demo_sees_its_pictures(view) -> None:
    made = view("find", "gpt")
    made._shared.session.pointsWanted.emit()
    assert made.tabs.value == "points" and made._stack.currentWidget() is made.page("points")


def test_a_sentence_that_is_only_the_word_says_that_there_is_nothing_to_hide(view, qtbot) -> None:
    made = view("words", "bert")
    page = made.page("words")
    page._edit.setText("苹果")
    page._typed("苹果")
    qtbot.waitUntil(lambda: "There is no other word to hide." in next(iter(page._panels.values())).words.text())
