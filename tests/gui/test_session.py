from __future__ import annotations

from dataclasses import replace

import pytest

from core import config
from core.config import TextConfig
from core.errors import UserError
from core.runs import Run
from core.tasks.config import build_finetune
from core.text.specimens import Specimen
from gui import bench_room
from gui.session import BenchRun, Session, layer_count


def _specimens() -> list[Specimen]:
    return [Specimen(word="bank", sense="river", text="We sat on the bank."),
            Specimen(word="bank", sense="money", text="The bank lent us money.", hard=True)]


def test_bench_gives_four_colours_and_refuses_a_fifth(qtbot, make_run):
    session = Session()
    runs = [make_run(f"r{number}") for number in range(5)]
    assert [session.add_run(run).colour for run in runs[:4]] == [0, 1, 2, 3]
    with pytest.raises(UserError):
        session.add_run(runs[4])
    with qtbot.waitSignal(session.benchChanged):
        session.remove_run(runs[1].path)
    assert session.add_run(runs[4]).colour == 1  # the colour that became free; the others kept theirs
    assert [item.colour for item in session.bench] == [0, 2, 3, 1]


def test_a_bench_that_is_set_keeps_its_colours_and_is_told_once_where_it_changed(qtbot, make_run):
    session, (one, two) = Session(), (make_run("one"), make_run("two"))
    told = []
    session.benchChanged.connect(lambda: told.append([(item.run.name, item.colour) for item in session.bench]))
    items = [BenchRun(run=one, colour=3), BenchRun(run=two, colour=1)]
    session.set_bench(items)
    session.set_bench(items)
    assert told == [[("one", 3), ("two", 1)]]
    session.refresh_run(Run(two.path, replace(two.config, name="another")))
    assert told[1:] == [[("one", 3), ("another", 1)]]


def test_the_same_run_is_put_on_the_bench_once(qtbot, make_run):
    session, run = Session(), make_run()
    first = session.add_run(run)
    with qtbot.assertNotEmitted(session.benchChanged):
        assert session.add_run(run) is first
        session.remove_run(run.path.parent / "another")


def test_a_colour_that_is_taken_or_none_gives_way_to_a_free_one(make_run):
    session = Session()
    assert [session.add_run(make_run(name), colour).colour for name, colour in (("a", 2), ("b", 2), ("c", 9), ("d", None))] == [2, 0, 1, 3]


@pytest.mark.parametrize(("signal", "name", "value"), [
    ("wordChanged", "word", "bank"), ("layerChanged", "layer", 2), ("headChanged", "head", 1), ("stepChanged", "step", 100),
    ("textChanged", "text", TextConfig(corpus="en")), ("draftChanged", "draft", config.build("gpt", "quick"))])
def test_each_property_signals_real_changes_only(qtbot, signal, name, value):
    session = Session()
    with qtbot.waitSignal(getattr(session, signal)):
        setattr(session, name, value)
    with qtbot.assertNotEmitted(getattr(session, signal)):
        setattr(session, name, value)


def test_what_another_view_wants_is_told_also_when_it_is_wanted_again(qtbot, make_run):
    session, draft, run = Session(), config.build("gpt", "quick"), make_run()
    for _ in range(2):
        with qtbot.waitSignal(session.draftHanded):
            session.hand_over(draft)
        assert session.draft == draft and session.is_handed
        session.is_handed = False
        with qtbot.waitSignal(session.pretrainedChanged):
            session.pretrained = run


def test_specimens_and_selection(qtbot):
    session = Session()
    session.look_at("bank", _specimens())
    assert session.senses == ("river", "money")
    with qtbot.assertNotEmitted(session.selectionChanged):
        session.specimens = _specimens()[::-1]
    session.specimens = _specimens()
    session.selected = 1
    assert session.specimen.hard
    session.selected = 7
    assert session.selected == -1
    assert session.specimen is None
    session.selected = 0
    session.specimens = []
    assert session.selected == -1


def test_a_sense_keeps_its_place_and_so_its_colour_while_the_sentences_are_changed(qtbot):
    session = Session()
    session.look_at("bank", _specimens())
    assert session.senses == ("river", "money")
    session.specimens = _specimens()[::-1]
    assert session.senses == ("river", "money")
    session.specimens = [item for item in _specimens() if item.sense == "money"]
    assert session.senses == ("money",)
    session.specimens = _specimens()[::-1]
    assert session.senses == ("river", "money")
    session.look_at("shore", _specimens()[::-1][:1])
    session.look_at("bank", _specimens()[::-1])
    assert session.senses == ("money", "river")


def test_who_hears_of_specimens_finds_none_of_them_chosen(qtbot):
    session = Session()
    session.look_at("bank", _specimens(), selected=1)
    seen = []
    session.specimensChanged.connect(lambda: seen.append(session.selected))
    with qtbot.waitSignal(session.selectionChanged):
        session.specimens = _specimens()[::-1]
    assert seen == [-1] and session.selected == -1


def test_who_hears_of_a_word_finds_its_specimens(qtbot):
    session = Session()
    seen = []
    session.wordChanged.connect(lambda: seen.append((session.word, len(session.specimens))))
    session.look_at("bank", _specimens())
    assert seen == [("bank", 2)]


def test_layer_is_clamped_to_each_run(make_run):
    session = Session()
    deep, flat = make_run("deep", num_layers=6), make_run("flat", num_layers=2)
    assert layer_count(deep) == 7
    assert (session.layer_of(deep), session.layer_of(flat)) == (6, 2)
    session.layer = 4
    assert (session.layer_of(deep), session.layer_of(flat)) == (4, 2)
    session.layer = -3
    assert session.layer == -1


def test_head_is_clamped_to_each_run(make_run):
    session, many, few = Session(), make_run("many", num_heads=4, hidden_size=16), make_run("few", num_heads=2, hidden_size=16)
    session.head = 3
    assert (session.head_of(many), session.head_of(few), session.head_of(make_run("none", "word2vec"))) == (3, 1, 0)
    session.head = -1
    assert session.head == 0


def test_step_of_takes_the_newest_not_after(qtbot):
    session = Session()
    assert session.step_of([]) is None
    assert session.step_of([10, 20, 30]) == 30
    session.step = 25
    assert session.step_of([10, 20, 30]) == 20
    session.step = 20
    assert session.step_of([10, 20, 30]) == 20
    session.step = 5
    assert session.step_of([10, 20, 30]) == 10


def test_a_run_that_began_beside_a_full_bench_gets_the_place_of_the_one_it_was_made_from(make_run):
    session = Session()
    runs = [make_run(name) for name in "abcd"]
    for run in runs:
        session.add_run(run)
    tuned = Run.create(build_finetune(runs[1], "tagging", {}, name="tuned"))
    bench_room.make_room(session, tuned)
    assert [item.run.name for item in session.bench] == ["a", "tuned", "c", "d"]
    bench_room.make_room(session, tuned)
    other = make_run("e")
    bench_room.make_room(session, other)
    assert [item.run.name for item in session.bench] == ["a", "tuned", "c", "e"] and len({item.colour for item in session.bench}) == 4
