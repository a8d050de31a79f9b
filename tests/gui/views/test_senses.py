"""The view of the senses: pictures in one basis, figures that fit them, and what is said where there is nothing to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from core import events, i18n
from core.runs import Run
from core.text.specimens import Specimen, write_specimens
from gui import picture, theme
from gui.jobs import Jobs
from gui.messages import Messages
from gui.run_process import Processes
from gui.run_queue import queue_of
from gui.run_watcher import RunWatcher
from gui.session import Session
from gui.settings import Settings
from gui.views import Services
from gui.views.senses.answers import Answers, question
from gui.views.senses.figures import FiguresTable, badge_words, bars
from gui.views.senses.panel import PICTURE, SensesPanel
from gui.views.senses.points import PointsPage, notes
from gui.views.senses.strip import SensesStrip
from gui.views.senses.verdict import verdict
from gui.views.senses.view import SensesView
from gui.widgets.folding import FoldingSegments
from gui.widgets.measure_chart import fitting
from gui.widgets.switch import Switch
from tests.helpers.inline_engine import InlineEngine

SPECIMENS = [Specimen(word="苹果", sense=sense, text=f"{'吃' * number}苹果{ending}", hard=number % 2 == 0)
             for sense, ending in (("fruit", "很甜"), ("company", "发布")) for number in range(6)]


def add_probe(run: Run, step: int, apart: float, seed: int = 0) -> None:
    """Layer 0: all equal. The others: noise, and the senses `apart`."""
    noise = np.random.default_rng(seed).normal(size=(len(SPECIMENS), 16))
    shift = apart * np.array([[-1.0] if item.sense == "fruit" else [1.0] for item in SPECIMENS]) * np.eye(16)[0]
    layers = [np.ones((len(SPECIMENS), 16))] + [noise + shift] * getattr(run.config.model, "num_layers", 0)
    np.savez(run.probe_path(step), vectors=np.stack(layers).astype(np.float16), step=np.array(step))
    with run.events_path.open("a", encoding="utf-8") as file:
        file.write(events.to_line(events.ProbeSaved(step=step, path=f"probes/step_{step:08d}.npz")) + "\n")


@pytest.fixture
def make_probed(make_run: Callable[..., Run]) -> Callable[..., Run]:
    def make(name: str = "bert", family: str = "bert", **options: object) -> Run:
        sizes = {} if family == "word2vec" else {"num_layers": 2, "hidden_size": 16}
        run = make_run(name, family, **{**sizes, **({"num_heads": 2} if family in ("bert", "gpt") else {}), **options})
        write_specimens(run.specimens_path, SPECIMENS)
        for number, step in enumerate((0, 10, 20)):
            add_probe(run, step, 2.0 * number)
        return run

    return make


@pytest.fixture
def services(qtbot) -> Iterator[Services]:
    window = QWidget()
    qtbot.addWidget(window)
    made = Services(engine=InlineEngine(), aside=InlineEngine(), jobs=Jobs(InlineEngine), watcher=RunWatcher(), processes=Processes(),
                    messages=Messages(window), settings=Settings(), navigate=lambda name: went.append(name))
    went: list[str] = []
    made.engine.went = went
    yield made
    for path in list(made.watcher._users):
        made.watcher.unwatch(path)
    made.processes.close()


@pytest.fixture
def session() -> Session:
    made = Session()
    made.look_at("苹果", SPECIMENS)
    return made


@pytest.fixture
def show(qtbot, services: Services, session: Session) -> Iterator[Callable[..., PointsPage]]:
    hosts: list[SensesView] = []  # the page goes with its view

    def make(*runs: Run) -> PointsPage:
        for run in runs:
            session.add_run(run)
            services.watcher.watch(run.path)
        host = SensesView(session, services)
        hosts.append(host)
        qtbot.addWidget(host)
        host.resize(812, 580)
        host.show()
        view = host.page("points")
        if runs:
            qtbot.waitUntil(lambda: not view._timer.isActive() and not view._answers._asked, timeout=20_000)
        return view

    yield make
    hosts.clear()


def settle(qtbot, view: PointsPage) -> None:
    qtbot.waitUntil(lambda: not view._timer.isActive() and not view._answers._asked
                    and all(panel._move.state() != panel._move.State.Running for panel in view.panels.values()), timeout=20_000)


def drawn(view: PointsPage, run: Run) -> np.ndarray:
    return view.panels[run.path].scatter._xy.copy()


def test_every_run_has_its_picture_and_its_figures(show, make_probed) -> None:
    runs = [make_probed("one"), make_probed("two", "elmo")]
    view = show(*runs)
    assert list(view.panels) == [run.path for run in runs]
    for run in runs:
        panel = view.panels[run.path]
        assert drawn(view, run).shape == (len(SPECIMENS), 2) and panel._stack.currentIndex() == 1
        assert "100%" in panel.chart.accessibleName() and panel._step.text() == "step 20"
        assert panel.table._cells["all"][0].text() == "1.00" and panel.table._cells["bag"][0].text() == "–"
        assert "has a checkpoint" in panel.verdict.text()  # nothing to make a bag of: it claims no more
    assert "→←" in view.panels[runs[1].path]._layer.text() and "→←" not in view.panels[runs[0].path]._layer.text()


def test_the_keyboard_goes_along_to_another_page(show, make_probed, qtbot) -> None:
    page = show(make_probed())
    host = page.window()
    host.controls.show()  # the window has them in its dock
    with qtbot.waitActive(host):
        host.activateWindow()
    page.controls.findChild(Switch).setFocus()
    host.tabs.button("layers").click()
    assert QApplication.focusWidget() is host.page("layers")


def test_the_replay_moves_in_one_basis(show, make_probed, session, qtbot) -> None:
    run = make_probed()
    view = show(run)
    panel = view.panels[run.path]
    seen = panel.scatter._view.viewRange()
    newest = drawn(view, run)
    session.step = 0
    settle(qtbot, view)
    oldest = drawn(view, run)
    assert panel._step.text() == "step 0" and panel.scatter._view.viewRange() == seen
    gap = [np.ptp([xy[:6, 0].mean(), xy[6:, 0].mean()]) for xy in (oldest, newest)]
    assert gap[0] < 1.5 and gap[1] == pytest.approx(8, abs=1.5)
    session.step = 15  # between two probes: the one before
    settle(qtbot, view)
    assert panel._step.text() == "step 10"


def test_the_figures_under_a_picture_are_those_of_its_layer_and_step(show, make_probed, session, qtbot) -> None:
    from core.analysis import layouts, window

    run = make_probed()
    random = np.random.default_rng(3)
    for step in run.probe_steps():  # another cloud in each layer of each step
        np.savez(run.probe_path(step), vectors=random.normal(size=(3, len(SPECIMENS), 16)).astype(np.float16), step=np.array(step))
    view = show(run)
    panel = view.panels[run.path]
    for layer, step in ((2, 20), (1, 20), (2, 0), (1, 10)):
        session.layer, session.step = layer, step
        settle(qtbot, view)
        asked = {"run": str(run.path), "specimens": SPECIMENS, "layer": layer, "step": step}
        wanted, picture_ = window.figures(**asked), layouts.layout(**asked, projection="pca", basis_step=20)
        assert [cell.text() for cell in panel.table._cells["all"]] == [f"{wanted['all'][name]:.2f}" for name in ("auc", "silhouette", "ari")]
        assert [(bar.value, bar.interval) for bar in panel.chart._bars] == [
            (wanted[key]["centroid_accuracy"], wanted[key]["interval"]) for key in ("all", "hard", "place_aside")]
        assert panel.badge.text() == badge_words(picture_["quality"])[0] and np.allclose(panel.xy, picture_["xy"])
        assert (panel._layer.text(), panel._step.text()) == (f"layer {layer}/2", f"step {step}")


def test_every_bar_and_every_figure_stands_beside_its_own_control() -> None:
    def measures(first: int) -> dict:
        return {"auc": first / 100, "silhouette": (first + 1) / 100, "ari": (first + 2) / 100, "centroid_accuracy": (first + 3) / 100,
                "interval": ((first + 4) / 100, (first + 5) / 100), "specimens": first}

    keys = ("all", "hard", "place_aside")
    found = {key: measures(10 * number) for number, key in enumerate((*keys, "shuffled"), start=1)}
    context = {key: measures(50 + 10 * number) for number, key in enumerate(keys)}
    assert [(bar.value, bar.interval, bar.control, bar.band) for bar in bars(found, context)] == [
        (0.13, (0.14, 0.15), 0.53, (0.44, 0.45)), (0.23, (0.24, 0.25), 0.63, None), (0.33, (0.34, 0.35), 0.73, None)]
    assert [bar.control for bar in bars(found, None)] == [None] * 3
    assert badge_words({"trustworthiness": 0.75, "recall": 0.5, "neighbours": 10, "points": 41})[0] == "trust 0.75 · kept 50%"
    assert "by chance it would be 25%" in badge_words({"trustworthiness": 0.75, "recall": 0.5, "neighbours": 10, "points": 41})[1]


def test_the_table_has_each_figure_in_its_row_and_column(qtbot) -> None:
    table = FiguresTable()
    qtbot.addWidget(table)
    rows = {key: {"auc": first / 100, "silhouette": (first + 1) / 100, "ari": (first + 2) / 100, "specimens": 3}
            for key, first in (("all", 10), ("hard", 20), ("shuffled", 30), ("bag", 40))}
    table.show_figures(rows, {"all": rows["bag"]})
    assert {key: [cell.text() for cell in cells] for key, cells in table._cells.items()} == {
        key: [f"{first / 100:.2f}" for first in range(start, start + 3)] for key, start in (("all", 10), ("hard", 20), ("bag", 40), ("shuffled", 30))}


def test_a_typed_sentence_has_the_colour_of_its_nearest_sense_whatever_the_order_of_the_answer(qtbot) -> None:
    panel = SensesPanel("#ff0000", "BERT")
    qtbot.addWidget(panel)
    shown = []
    panel.scatter.show_guest = lambda *given: shown.append(given[1:])
    answer = {"xy": np.zeros(2), "cosines": [("company", -0.25), ("fruit", 0.75)], "step": 0}
    panel.show_live(answer, ("fruit", "company"))
    panel.show_live({**answer, "cosines": [("company", 0.0), ("fruit", 0.0)]}, ("fruit", "company"))
    assert shown == [(0, "0.75"), (-1, "")]


def test_three_senses_stand_at_a_third_by_chance(show, make_probed, session, qtbot) -> None:
    view = show(make_probed())
    session.specimens = [replace(item, sense="other") if number % 6 > 3 else item for number, item in enumerate(SPECIMENS)]
    settle(qtbot, view)
    panel, = view.panels.values()
    assert (panel.chart._chance, panel.chart._chance_text) == (pytest.approx(1 / 3), "chance 33%")


def test_of_a_run_without_probes_it_is_not_said_that_they_hold_other_sentences(make_run) -> None:
    found = {"source": "checkpoints", "missing": 0}
    assert "trained without probes" in notes(make_run("blind", probes=0), found)[0]
    assert "do not hold these sentences" in notes(make_run("seen"), found)[0]


def test_a_new_probe_is_followed_at_the_newest_step_and_not_while_one_looks_back(show, make_probed, session, services, qtbot) -> None:
    run = make_probed()
    view = show(run)
    add_probe(run, 30, 6.0)
    qtbot.waitUntil(lambda: view.panels[run.path]._step.text() == "step 30")
    settle(qtbot, view)
    session.step = 10
    settle(qtbot, view)
    before = drawn(view, run)
    with qtbot.waitSignal(services.watcher.eventsArrived):
        add_probe(run, 40, 9.0, seed=7)
    settle(qtbot, view)
    assert np.array_equal(drawn(view, run), before)
    session.step = None
    qtbot.waitUntil(lambda: view.panels[run.path]._step.text() == "step 40")
    settle(qtbot, view)
    assert not np.array_equal(drawn(view, run), before)


def test_one_vector_is_shown_as_one_point(show, make_probed, session, qtbot) -> None:
    word2vec, gpt = make_probed("w", "word2vec"), make_probed("g", "gpt")
    view = show(word2vec, gpt)
    panel = view.panels[word2vec.path]
    assert len(drawn(view, word2vec)) == 1 and "12 sentences" in panel.scatter._notes[0].toPlainText()
    assert panel.verdict.text() == "One vector, whatever the sentence says." and panel._layer.text() == "word vectors"
    assert panel.table._cells["all"][0].text() == "0.50"
    session.layer = 0
    settle(qtbot, view)
    assert len(drawn(view, gpt)) == 1 and view.panels[gpt.path]._layer.text() == "embedding layer"
    assert view.panels[gpt.path].verdict.text().startswith("Before the first layer")
    panel.scatter.clicked.emit(0)
    panel.scatter.clicked.emit(0)
    assert session.selected == 1  # pressed again: the point's next sentence


def test_the_words_above_a_single_point_are_whole_in_the_lowest_picture(show, make_probed, session, qtbot) -> None:
    word2vec = make_probed("w", "word2vec")
    view = show(word2vec)
    scatter = view.panels[word2vec.path].scatter
    scatter.setFixedSize(103, PICTURE)
    settle(qtbot, view)
    view._draw()
    QApplication.processEvents()
    note = next(iter(scatter._notes.values()))
    note.updateTransform()
    drawn = QRectF(scatter._plot.mapFromScene(note.mapToScene(note.boundingRect())).boundingRect())
    assert scatter.rect().toRectF().contains(drawn.adjusted(3, 3, -3, -3)), drawn  # it has a margin of 4
    assert all(part.isHidden() for part in scatter._axes)  # one point has no directions


def test_what_the_colours_mean_is_whole_in_a_narrow_window_with_large_words(qtbot) -> None:
    theme.apply(QApplication.instance(), "light", 1.5)
    projections = FoldingSegments({"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}, "pca")
    strip = SensesStrip(projections)
    qtbot.addWidget(strip)
    strip.show_senses("苹果", ["company", "fruit"], [50, 50], 48)
    for width in (380, 560, 1200):
        strip.resize(width, 300)
        strip.show()
        QApplication.processEvents()
        parts = [strip._legend, projections]
        inside = strip._legend._parts
        assert len(inside) == 4 and all(part.width() >= part.sizeHint().width() for part in inside)
        assert all(part.geometry().right() < strip._legend.width() for part in inside)
        assert not any(one.geometry().intersects(other.geometry()) for one, other in combinations(inside, 2))
        assert not parts[0].geometry().intersects(projections.parentWidget().geometry())


def test_with_panels_out_of_sight_the_picture_that_leaves_holds_them_all(show, make_probed, qtbot) -> None:
    view = show(make_probed("one"), make_probed("two"), make_probed("three"), make_probed("four"))
    view.resize(1200, 800)
    qtbot.waitUntil(lambda: view._picture() is view._board)
    view.resize(300, 500)
    qtbot.waitUntil(lambda: view._picture() is view._panes.content)
    assert all(view._panes.content.rect().contains(panel.geometry()) for panel in view.panels.values())


def test_the_head_and_the_bars_of_a_narrow_panel_are_whole(show, make_probed, qtbot) -> None:
    run = make_probed("one", "word2vec")
    panel = show(run).panels[run.path]
    panel.setParent(None)
    qtbot.addWidget(panel)
    panel.resize(123, 700)
    panel.show()
    QApplication.processEvents()
    assert all(part.width() >= part.sizeHint().width() for part in (panel._title, panel._layer, panel._step))
    room = QFontMetrics(theme.font("small")).horizontalAdvance("Place aside") - 5
    assert QFontMetrics(fitting("Place aside", room)).horizontalAdvance("Place aside") <= room


def test_what_the_colours_mean_leaves_with_the_picture(show, make_probed, qtbot, tmp_path) -> None:
    view = show(make_probed("one"), make_probed("two", "elmo"))
    picture.save_picture(view._board, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert all(words in text for words in ("fruit", "company", "PC 1", "PC 2"))
    view._session.layer = 1  # its plane is turned on to the last layer's
    settle(qtbot, view)
    panel = next(iter(view.panels.values()))
    assert [part.text() for part in panel.scatter._axes][1] == ""
    bar = panel.chart._bars[0]
    assert "shuffled" in bar.said and f"{bar.value:.0%}" in bar.said


def test_the_axes_tell_what_they_hold_of_the_variance_of_what_is_drawn(show, make_probed, session, qtbot) -> None:
    run = make_probed("one")
    from core.analysis import window

    view = show(run)
    deepest = session.layer_of(run)

    def said() -> list[str]:
        settle(qtbot, view)
        return [part.text() for part in view.panels[run.path].scatter._axes]

    def share(layer: int) -> tuple[float, float]:
        return window.replay(str(run.path), session.specimens, layer)["share"]

    across, up = share(deepest)
    assert said() == [f"PC 1 · {across:.0%} →", f"PC 2 · {up:.0%} ↑"]
    session.layer = 1  # a turned plane holds as much, but not along these axes
    assert deepest > 1 and said() == [f"PC 1 and 2, turned · {sum(share(1)):.0%}", ""]
    session.layer = deepest
    session.step = run.probe_steps()[0]  # the axes are those of the newest step
    assert said() == ["PC 1 →", "PC 2 ↑"]


def test_a_click_selects_everywhere(show, make_probed, session, qtbot) -> None:
    runs = [make_probed("one"), make_probed("two", "gpt")]
    view = show(*runs)
    settle(qtbot, view)
    scatter = view.panels[runs[0].path].scatter
    index = int(np.abs(drawn(view, runs[0])).sum(axis=1).argmax())  # far from the others
    at = scatter.place_of(index).toPoint()
    qtbot.mouseClick(scatter._plot.viewport(), Qt.MouseButton.LeftButton, pos=scatter._plot.viewport().mapFrom(scatter, QPoint(at)))
    assert session.selected == index
    for run in runs:
        assert view.panels[run.path].scatter._selected == index
    assert SPECIMENS[index].text[-2:] in view._strip._sentence.text() and "<b" in view._strip._sentence.text()
    session.selected = -1
    assert "Click on a point" in view._strip._sentence.text()


def test_the_card_names_sentence_sense_and_run(show, make_probed) -> None:
    run = make_probed("my <run>")
    card = show(run).panels[run.path].scatter._cards[3]
    assert '<b style="color:#' in card and "苹果" in card and "my &lt;run&gt;" in card


def test_changed_labels_change_colours_and_figures_without_a_model(show, make_probed, session, qtbot, services) -> None:
    run = make_probed()
    view = show(run)
    session.specimens = [replace(item, sense="company" if number == 1 else item.sense) for number, item in enumerate(SPECIMENS)][:-1]
    settle(qtbot, view)
    assert view.panels[run.path].scatter._categories.tolist() == [0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert view.panels[run.path].chart.accessibleName().startswith("All 11 92%")


def test_what_the_probes_lack_is_said(show, make_probed, session, qtbot) -> None:
    run = make_probed()
    view = show(run)
    session.specimens = [*SPECIMENS, Specimen(word="苹果", sense="fruit", text="新的苹果")]
    settle(qtbot, view)
    panel = view.panels[run.path]
    assert panel.note.isVisible() and "1 sentences are shown once" in panel.note.text() and len(drawn(view, run)) == len(SPECIMENS)


def test_senses_that_cannot_be_measured_are_said(show, make_probed, session, qtbot) -> None:
    run = make_probed()
    view = show(run)
    session.specimens = [replace(item, sense="fruit") for item in SPECIMENS]
    settle(qtbot, view)
    panel = view.panels[run.path]
    assert "same sense" in panel.verdict.text() and not panel.chart.isVisible() and len(drawn(view, run)) == len(SPECIMENS)


def test_an_empty_bench_leads_to_training(show, services, qtbot) -> None:
    view = show()
    qtbot.waitUntil(lambda: view._empty is not None)
    view._empty.button.click()
    assert services.engine.went == ["train"]


def test_a_word_without_sentences_is_said(show, make_probed, session, qtbot) -> None:
    view = show(make_probed())
    session.look_at("茘枝", ())
    qtbot.waitUntil(lambda: view._empty is not None and view._empty.isVisible())
    assert "茘枝" in view._empty.sentence.text()
    session.look_at("苹果", SPECIMENS)
    settle(qtbot, view)
    assert view._stack.currentIndex() == 0


def test_a_run_without_probes_says_what_it_waits_for(show, make_run) -> None:
    run = make_run("new", num_layers=2, num_heads=2, hidden_size=16)
    assert "no probe" in show(run).panels[run.path].message.text()


def test_a_run_in_the_queue_says_that_it_waits_for_its_turn(show, make_run, services) -> None:
    run = make_run("new", num_layers=2, num_heads=2, hidden_size=16)
    queue = queue_of(services.processes)
    queue._begun.add("another")
    queue.start([run])
    assert "waits for its turn" in show(run).panels[run.path].message.text()


def test_what_the_figures_say_is_read_without_scrolling_in_a_window_of_a_projector(show, make_probed, make_run, qtbot) -> None:
    view = show(*(make_probed(name, family) for name, family in (("w", "word2vec"), ("e", "elmo"), ("b", "bert"))), make_run("waits"))
    view.window().resize(797, 626)  # of 1280 x 720
    settle(qtbot, view)
    said = [panel.verdict for panel in view.panels.values() if panel.is_drawn]
    bottoms = [verdict.mapTo(view, QPoint(0, verdict.height())).y() for verdict in said]
    assert len(said) == 3 and max(bottoms) <= view.height(), bottoms


def test_a_run_that_watches_another_word_offers_it(show, make_probed, session, qtbot, own_home) -> None:
    run = make_probed()
    view = show(run)
    session.look_at("花", [Specimen(word="花", sense="flower", text="一朵花"), Specimen(word="花", sense="spend", text="花钱")])
    settle(qtbot, view)
    panel = view.panels[run.path]
    assert "苹果" in panel.message.text() and panel._offer.isVisible()
    panel._offer.click()
    assert session.word == "苹果" and session.specimens


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_four_runs_in_the_smallest_window(show, make_probed, qapp, language, look, qtbot) -> None:
    i18n.set_language(language)
    theme.apply(qapp, look)
    view = show(*(make_probed(name, family) for name, family in (("w", "word2vec"), ("e", "elmo"), ("g", "gpt"), ("b", "bert"))))
    view.window().resize(556, 500)
    settle(qtbot, view)
    view.grab()
    qtbot.waitUntil(lambda: len({panel.chart.mapTo(view, QPoint(0, 0)).y() for panel in view.panels.values()}) == 1)  # in line
    view.window().resize(1600, 900)
    view.grab()


def test_runs_come_and_go(show, make_probed, session, qtbot) -> None:
    runs = [make_probed("one"), make_probed("two"), make_probed("three")]
    view = show(*runs)
    session.remove_run(runs[1].path)
    settle(qtbot, view)
    assert list(view.panels) == [runs[0].path, runs[2].path]
    session.refresh_run(Run(runs[0].path, replace(runs[0].config, name="another name")))
    settle(qtbot, view)
    assert view.panels[runs[0].path]._name.text() == "another name"


def test_the_bag_is_made_of_word2vec_where_it_is_on_the_bench(show, make_probed, services) -> None:
    word2vec, bert = make_probed("w", "word2vec"), make_probed("b")
    show(word2vec, bert)
    bags = [keywords for _, call in services.engine.asked for kind, keywords in call["questions"] if kind == "bag"]
    assert bags and all(keywords["others"] == (str(word2vec.path),) for keywords in bags)


# the answers

def test_urgent_questions_come_first_and_a_guilty_one_is_not_asked_again(qtbot) -> None:
    class Dying(InlineEngine):
        def _answer(self) -> None:
            if self._calls:
                self._calls.pop(0).error("The analysis process ended.", "")

    holder = QWidget()
    qtbot.addWidget(holder)
    engine = Dying()
    answers = Answers(engine, holder)
    answers.about(tuple(SPECIMENS))
    first, second, later = (question("figures", run=name, layer=0, step=0) for name in "abc")
    heard = []
    answers.arrived.connect(heard.append)
    answers.ask([first, second], [later])
    assert [keywords["run"] for _, keywords in engine.asked[0][1]["questions"]] == ["a", "b"]
    answers.ask([first, second], [later])
    assert len(engine.asked) == 1  # they are under way
    qtbot.waitUntil(lambda: heard == [first])
    assert answers.get(first)["error"] == "The analysis process ended."
    answers.ask([first, second], [later])
    assert [keywords["run"] for _, keywords in engine.asked[1][1]["questions"]] == ["b"]
    assert answers.get(first) is not None
    answers.forget("b")
    assert answers.get(first) is not None
    answers.forget("a")
    assert answers.get(first) is None
    answers.ask([first])
    qtbot.waitUntil(lambda: answers.get(first) is not None)
    answers.about(())
    assert answers.get(first) is None
    assert question("figures", run="a", stamp=(1, 2)) != question("figures", run="a", stamp=(1, 3))


# the words

def figures(low: float, high: float, **other: object) -> dict:
    return {"senses": 2, "same": False, "layers": 3, "layer": 2, "place": 0.5, "left_out": 0, "all": {"specimens": 40},
            "best": {"layer": 2, "centroid_accuracy": (low + high) / 2, "interval": (low, high)}, **other}


def bag(accuracy: float) -> dict:
    return {"source": "w", "own": False, **{name: {"centroid_accuracy": accuracy} for name in ("all", "hard", "place_aside")}}


def test_the_verdict_never_claims_more_than_the_figures() -> None:
    assert verdict(figures(0.8, 0.95), bag(0.7))[0] == "good"
    words = {key: verdict(*given) for key, given in {
        "bag": (figures(0.65, 0.95), bag(0.7)), "equal": (figures(0.7, 0.95), bag(0.7)), "chance": (figures(0.4, 0.7), bag(0.2)),
        "place": (figures(0.8, 0.95, place=0.85), bag(0.6)), "unknown": (figures(0.8, 0.95), None), "none": (figures(0.8, 0.95), {}),
        "one": (figures(0.5, 0.5, same=True, layers=1, layer=0, place=None), bag(0.9)), "first": (figures(0.9, 1.0, layer=0), bag(0.5)),
    }.items()}
    assert all(tone == "soft" for tone, _ in words.values())
    assert "neighbours differ" in words["bag"][1] and "neighbours differ" in words["equal"][1]
    assert "better than chance" in words["chance"][1] and "place in the sentence" in words["place"][1]
    assert words["one"][1] == "One vector, whatever the sentence says." and "has not read" in words["first"][1]
    assert "not measured yet" in words["unknown"][1] and "checkpoint" in words["none"][1]
    assert all(words[key][1].startswith("In layer 2 it tells") for key in ("unknown", "none"))  # which need not be the one that is shown


def test_of_four_sentences_that_are_all_right_nothing_is_claimed() -> None:
    tone, words = verdict(figures(1.0, 1.0, all={"specimens": 4}), bag(0.25))
    assert tone == "soft" and "Too few" in words
    assert verdict(figures(1.0, 1.0, all={"specimens": 10}), bag(0.25))[0] == "good"


def test_three_senses_have_another_chance() -> None:
    assert verdict(figures(0.4, 0.6, senses=3, place=0.3), bag(0.35))[0] == "good"


def test_no_figure_is_cut_with_large_letters(qtbot, qapp):
    theme.apply(qapp, "light", 1.5)
    table = FiguresTable()
    qtbot.addWidget(table)
    figures = {key: {"auc": 0.5, "silhouette": -0.05, "ari": -0.02, "specimens": 9} for key in ("all", "hard", "shuffled")}
    table.show_figures(figures, figures)
    table.resize(187, 120)
    table.show()
    labels = table.findChildren(QLabel)
    qtbot.waitUntil(lambda: all(label.width() >= label.minimumSizeHint().width() for label in labels))
    table.resize(400, 120)
    qtbot.waitUntil(lambda: labels[0].fontMetrics().height() == QFontMetrics(theme.font("small")).height())


def test_that_a_model_cannot_read_the_sentences_is_said_beside_its_figures(show, make_probed) -> None:
    run = make_probed()
    view = show(run)
    panel = view.panels[run.path]
    known = next(answer for (kind, _), answer in view._answers._kept.items() if kind == "figures")
    panel.show_figures({**known, "unknown": 0.62}, None)
    assert panel.note.isVisible() and panel.note.text().startswith("62% of the words around are unknown")
    panel.show_figures({**known, "unknown": 0.0}, None)
    assert "unknown" not in panel.note.text()
