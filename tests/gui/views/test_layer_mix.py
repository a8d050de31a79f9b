"""The layer weights: the series that a run's story tells, and the view that draws them while they are learnt."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel

from core import events
from core.analysis.separability import of_layers
from core.runs import Run
from core.tasks.config import build_finetune
from core.text.specimens import Specimen, write_specimens
from gui.views import titles
from gui.views.layer_mix.story import INPUT, OUTPUT, MixStory, mixes_layers
from gui.widgets.layer_bars import layer_colours
from tests.gui.direct_engine import DirectEngine, SilentEngine
from tests.gui.real_views import real_windows

SPECIMENS = [Specimen(word="苹果", sense=sense, text=f"{'吃' * number}苹果{ending}") for sense, ending in (("fruit", "很甜"), ("company", "发布"))
             for number in range(5)]


def started(step: int = 0) -> events.RunStarted:
    return events.RunStarted(step=step, device="cpu", precision="fp32", processes=1, threads=1, parameters=1, train_tokens=1, valid_tokens=1,
                             vocab_size=9, total_steps=100, versions={})


def step_end(step: int, *weights: float, **more: float) -> events.StepEnd:
    metrics = {f"mix_{layer}": weight for layer, weight in enumerate(weights)}
    return events.StepEnd(step=step, loss=1.0, learning_rate=0.1, grad_norm=1.0, tokens=step, tokens_per_s=1.0, progress=step / 100, elapsed=1.0,
                          seconds_left=1.0, memory=1, metrics={**metrics, **({"mix_gamma": 1.0 + step / 100} if weights else {}), **more})


def tell(run: Run, *told: events.Event) -> None:
    with run.events_path.open("a", encoding="utf-8") as file:
        file.writelines(events.to_line(event) + "\n" for event in told)


def add_probe(run: Run, step: int) -> None:
    """Layer 0 knows nothing, layer 2 tells the senses apart without an error."""
    write_specimens(run.specimens_path, SPECIMENS)
    sense = np.array([[1.0] if item.sense == "fruit" else [-1.0] for item in SPECIMENS])
    noise = np.random.default_rng(step).normal(size=(len(SPECIMENS), 8))
    np.savez(run.probe_path(step), vectors=np.stack([np.ones((len(SPECIMENS), 8)), noise, noise + 9 * sense]).astype(np.float16), step=np.array(step))


@pytest.fixture
def make_finetuned(make_run):
    """make_finetuned(name, family="elmo", **options): a finetune that has not begun."""
    def make(name: str = "tuned", family: str = "elmo", **options: object) -> Run:
        pretrained = make_run(f"pre-{name}", family, num_layers=2)
        return Run.create(build_finetune(pretrained, "tagging", options, name=name))

    return make


@pytest.fixture
def make(monkeypatch):
    with real_windows(monkeypatch, DirectEngine) as found:
        yield found


def test_the_story_is_told_in_series_and_taken_back():
    story = MixStory()
    assert not story.feed([started(), step_end(1)])
    assert story.feed([step_end(2, 0.2, 0.3, 0.5), step_end(3, 0.1, 0.3, 0.6), step_end(4, 0.0, 0.3, 0.7)])
    mix = story.mixes[INPUT]
    assert mix.steps.values.tolist() == [2, 3, 4] and mix.weights_at(mix.at(None)) == [0.0, 0.3, 0.7]
    assert [mix.at(step) for step in (0, 2, 3, 99)] == [0, 0, 1, 2]
    story.feed([started(step=3), step_end(4, 0.5, 0.3, 0.2)])
    assert mix.steps.values.tolist() == [2, 3, 4] and mix.weights_at(2) == [0.5, 0.3, 0.2]
    assert mix.gamma.values.tolist() == pytest.approx([1.02, 1.03, 1.04])


def test_a_mix_at_the_output_is_another_one():
    story = MixStory()
    story.feed([step_end(1, 0.5, 0.5, mix_output_0=0.9, mix_output_1=0.1, mix_output_gamma=2.0)])
    assert story.mixes[OUTPUT].weights_at(0) == [0.9, 0.1] and story.mixes[OUTPUT].gamma.values.tolist() == [2.0]


def test_which_runs_mix(make_finetuned, make_run):
    assert mixes_layers(make_finetuned()) and mixes_layers(make_finetuned("g", "gpt", mix="on"))
    others = make_finetuned("h", "gpt"), make_finetuned("o", mix="off"), make_run("p", "elmo")
    assert not any(mixes_layers(run) for run in others)


def test_weights_move_while_they_are_learnt_beside_what_each_layer_knows(qtbot, make, make_finetuned):
    run = make_finetuned()
    tell(run, started(), *[step_end(step, 0.3, 0.3, 0.4) for step in range(1, 6)])
    add_probe(run, 5)
    window = make("layer_mix")
    window.session.look_at("苹果", SPECIMENS)
    window.session.add_run(run)
    view = window.view
    panel = view.panels[run.path]
    qtbot.waitUntil(lambda: [bar.weight for bar in panel.bars[INPUT].bars] == [0.3, 0.3, 0.4])
    qtbot.waitUntil(lambda: bool(panel.bars[INPUT].bars[2].note))
    assert [bar.share for bar in panel.bars[INPUT].bars][::2] == [0.5, 1.0]
    assert "auc 1.00" in panel.bars[INPUT].bars[2].note and "苹果" in panel._about_word.text()
    tell(run, step_end(6, 0.1, 0.1, 0.8))
    qtbot.waitUntil(lambda: panel.bars[INPUT].bars[2].weight == 0.8)
    assert "1.060" in panel._gamma.text() and "6" in panel._step.text()
    assert "from 1.010 to 1.060" in panel.gamma[INPUT].toolTip() and not panel.gamma[INPUT].grab().isNull()
    curve = panel.curves._curves["input/2"]
    assert curve.y.values.tolist() == [0.4] * 5 + [0.8]
    window.session.step = 3
    qtbot.waitUntil(lambda: panel.bars[INPUT].bars[2].weight == 0.4)
    assert panel.bars[OUTPUT].isHidden()
    assert "Weight" in [one.text() for one in panel.curves.findChildren(QLabel)], "what the curves' y axis holds"


def test_what_each_layer_knows_stays_when_another_run_comes(qtbot, make, make_finetuned, make_run):
    run = make_finetuned()
    tell(run, started(), step_end(1, 0.3, 0.3, 0.4))
    add_probe(run, 1)
    window = make("layer_mix")
    window.session.look_at("苹果", SPECIMENS)
    window.session.add_run(run)

    def is_known() -> bool:
        panel = window.view.panels[run.path]
        return any("auc 1.00" in bar.note for bar in panel.bars[INPUT].bars) and "苹果" in panel._about_word.text()

    qtbot.waitUntil(is_known)
    window.session.add_run(make_run("other", "gpt"))
    assert not is_known()  # a new panel
    qtbot.waitUntil(is_known)


def test_what_the_layers_know_of_one_word_is_not_said_of_another(qtbot, monkeypatch, make_finetuned):
    run = make_finetuned()
    tell(run, started(), step_end(1, 0.3, 0.3, 0.4))
    add_probe(run, 1)
    with real_windows(monkeypatch, SilentEngine) as make:
        window = make("layer_mix")
        window.session.look_at("苹果", SPECIMENS)
        window.session.add_run(run)
        panel, calls = window.view.panels[run.path], window.engine.calls
        qtbot.waitUntil(lambda: bool(window.engine.asked(":of_layers")))
        call = next(call for call in calls if call.place.endswith(":of_layers"))
        answer = of_layers(**call.keywords)
        call.on_done(answer)
        qtbot.waitUntil(lambda: bool(panel.bars[INPUT].bars[2].note))
        assert "苹果" in panel._about_word.text()
        window.session.look_at("香蕉", ())
        qtbot.waitUntil(lambda: not panel.bars[INPUT].bars[2].note)
        call.on_done(answer)
        assert not panel._about_word.text() and not panel.note.text(), "it has no sentences"


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_page_has_the_name_that_leads_to_it(make, language):
    window = make("layer_mix", language=language)
    name = titles()["layer_mix"]
    assert window._navigation._buttons["layer_mix"].text().strip() == name
    assert name in [part.text() for part in window.view.findChildren(QLabel) if part.property("role") == "title"]


def test_a_run_that_goes_back_draws_its_curves_anew(qtbot, make, make_finetuned):
    run = make_finetuned()
    tell(run, started(), *[step_end(step, 0.3, 0.3, 0.4) for step in range(1, 6)])
    window = make("layer_mix")
    window.session.add_run(run)
    panel = window.view.panels[run.path]
    qtbot.waitUntil(lambda: "input/0" in panel.curves.keys())  # noqa: SIM118
    tell(run, started(step=2), step_end(3, 0.9, 0.05, 0.05))
    qtbot.waitUntil(lambda: panel.curves._curves["input/0"].y.values.tolist() == [0.3, 0.3, 0.9])


def test_several_runs_share_their_scale_and_say_why_they_show_nothing(qtbot, make, make_finetuned, make_run):
    one, other = make_finetuned("one"), make_finetuned("two", "gpt", mix="on")
    tell(one, started(), step_end(1, 0.3, 0.3, 0.4, mix_gamma=1.5))
    tell(other, started(), step_end(1, 0.2, 0.2, 0.6))
    window = make("layer_mix")
    for run in (one, other, make_finetuned("three", "bert"), make_run("four", "elmo")):
        window.session.add_run(run)
    view = window.view
    panels = list(view.panels.values())
    qtbot.waitUntil(lambda: all(panel._stack.currentIndex() == 1 for panel in panels[:2]))
    ranges = [panel.curves._plot.getViewBox().viewRange()[1] for panel in panels[:2]]
    assert ranges[0] == pytest.approx(ranges[1]) and ranges[0][1] == pytest.approx(0.636)
    assert "does not mix" in panels[2].message.text() and not panels[2].action.isVisible()
    assert panels[3].action.isVisible()
    header, rows = view._rows()
    assert len(rows) == 6 and len(header) == len(rows[0])
    panels[3].action.click()
    assert window._name == "train"


def test_the_same_place_in_the_network_has_the_same_hue():
    assert layer_colours(3)[0] == layer_colours(13)[0] and layer_colours(3)[-1] == layer_colours(13)[-1] and len(set(layer_colours(13))) == 13


def test_steps_that_a_run_has_taken_back_leave_its_curves_though_it_has_passed_them(make, make_finetuned, qtbot):
    run = make_finetuned("tuned")
    tell(run, started(), *(step_end(step, 0.2, 0.3, 0.5) for step in range(1, 11)))
    window = make("layer_mix")
    window.session.add_run(run)
    view = window.view
    qtbot.waitUntil(lambda: run.path in view.panels and view.panels[run.path]._drawn.get("input", (0, 0))[0] == 10)
    window.show_view("runs")
    tell(run, started(step=5), *(step_end(step, 0.8, 0.1, 0.1) for step in range(6, 16)))
    qtbot.waitUntil(lambda: view._stories[run.path].mixes["input"].steps.values[-1] == 15)
    window.show_view("layer_mix")
    curve = view.panels[run.path].curves._curves["input/0"]
    qtbot.waitUntil(lambda: len(curve.y.values) == 15)
    assert curve.y.values.round(2).tolist() == [0.2] * 5 + [0.8] * 10
