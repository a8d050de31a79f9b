from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest
from PySide6.QtCore import QObject

from core import i18n
from gui import engine as engine_module
from gui.engine import Engine
from gui.engine_worker import IDLE_SECONDS, read_frame

PLACE = "tests.gui.engine_functions:"


class Asked:
    """What became of a question."""

    def __init__(self) -> None:
        self.results, self.errors, self.progress = [], [], []

    def done(self, result):
        self.results.append(result)

    def error(self, message, hint):
        self.errors.append((message, hint))

    def partial(self, *values):
        self.progress.append(values)


@pytest.fixture
def engine(qtbot):
    made = Engine()
    yield made
    made.close()


@pytest.fixture
def ask(engine):
    def ask(function: str, keywords=None, **more):
        asked = Asked()
        asked.call = engine.call(PLACE + function, keywords or {}, on_done=asked.done, on_error=asked.error,
                                 on_progress=asked.partial, **more)
        return asked

    return ask


def _answer(qtbot, asked):
    qtbot.waitUntil(lambda: bool(asked.results or asked.errors), timeout=15_000)
    return asked


def test_arrays_go_and_come_and_prints_do_no_harm(qtbot, ask):
    values = np.arange(200_000, dtype=np.float32)
    asked = _answer(qtbot, ask("double", {"values": values}))
    np.testing.assert_array_equal(asked.results[0]["doubled"], 2 * values)


def test_nothing_is_answered_before_the_loop_turns(ask):
    assert ask("process").results == []


def test_the_process_stays_and_knows_no_qt(qtbot, ask):
    first, second = (_answer(qtbot, ask("process")).results[0] for _ in range(2))
    assert first == second
    modules = _answer(qtbot, ask("loaded")).results[0]
    assert not [name for name in modules if name.startswith(("PySide6", "pyqtgraph"))]


def test_what_questions_need_is_loaded_while_nobody_asks(qtbot, ask):
    assert "torch" not in _answer(qtbot, ask("loaded")).results[0]
    for _ in range(40):
        qtbot.wait(round(2000 * IDLE_SECONDS))  # who asks more often leaves it no time
        if {"torch", "sklearn.cluster", "core.analysis.encode"} <= set(_answer(qtbot, ask("loaded")).results[0]):  # answered while it loads
            return
    raise AssertionError("nothing was loaded")


def test_an_expected_error_keeps_its_hint(qtbot, ask):
    assert _answer(qtbot, ask("refuse")).errors == [("The file is not there.", "Choose another.")]


def test_an_unexpected_error_brings_its_traceback(qtbot, engine, ask):
    with qtbot.waitSignal(engine.failed, timeout=15_000) as caught:
        asked = ask("fail")
    assert "nobody expected this" in caught.args[1]
    assert "nobody expected this" in _answer(qtbot, asked).errors[0][0]


def test_what_the_system_refuses_is_said_and_is_no_mistake_of_the_program(qtbot, engine, ask, tmp_path):
    unexpected = []
    engine.failed.connect(lambda *said: unexpected.append(said))
    message, hint = _answer(qtbot, ask("look_for_nothing", {"path": tmp_path / ("x" * 3000)})).errors[0]
    assert "xxx: the name is too long" in message and "Check the name" in hint and not unexpected


def test_a_result_that_cannot_travel_is_an_error_not_a_silence(qtbot, ask):
    assert _answer(qtbot, ask("unpicklable")).errors


def test_a_name_that_is_not_there_is_an_error(qtbot, ask):
    assert _answer(qtbot, ask("no_such_function")).errors


def test_a_crash_is_told_in_words_and_the_next_question_is_answered(qtbot, ask):
    asked, after = ask("crash"), ask("process")
    message, hint = _answer(qtbot, asked).errors[0]
    assert "segmentation fault" in message
    assert hint
    assert _answer(qtbot, after).results


def test_progress_comes_before_the_answer(qtbot, ask):
    asked = _answer(qtbot, ask("steps"))
    assert asked.progress == [(0, 3), (1, 3), (2, 3)]
    assert asked.results == ["ready"]


def test_cancel_ends_a_deaf_function_and_the_next_is_answered_by_another_process(qtbot, engine, ask, tmp_path):
    before = _answer(qtbot, ask("process")).results[0]
    slow = ask("slow", {"started": tmp_path / "started"})
    qtbot.waitUntil((tmp_path / "started").exists, timeout=15_000)
    engine.cancel(slow.call)
    after = _answer(qtbot, ask("process")).results[0]
    assert before != after
    assert slow.results == slow.errors == []


def test_cancel_is_heard_by_a_function_that_listens(qtbot, engine, ask, tmp_path):
    before = _answer(qtbot, ask("process")).results[0]
    asked = ask("patient", {"started": tmp_path / "started", "stopped": tmp_path / "stopped"})
    qtbot.waitUntil((tmp_path / "started").exists, timeout=15_000)
    engine.cancel(asked.call)
    qtbot.waitUntil((tmp_path / "stopped").exists, timeout=15_000)
    assert _answer(qtbot, ask("process")).results[0] == before  # what it had loaded is still there
    assert asked.results == []


def test_a_newer_question_with_the_same_key_replaces_the_older(qtbot, ask):
    asked = [ask("double", {"values": np.array([number])}, key="view") for number in range(5)]
    _answer(qtbot, asked[-1])
    assert [len(one.results) for one in asked] == [0, 0, 0, 0, 1]


def test_the_death_of_the_owner_drops_its_questions(qtbot, ask):
    owner = QObject()
    asked = ask("process", owner=owner)
    owner.deleteLater()
    qtbot.waitUntil(lambda: not asked.call.wanted)
    _answer(qtbot, ask("process"))
    assert asked.results == []


def test_an_error_in_a_callback_does_not_stop_the_queue(qtbot, engine, ask):
    def broken(_result):
        raise RuntimeError("a view's mistake")

    with qtbot.captureExceptions() as caught:
        engine.call(PLACE + "process", {}, on_done=broken, on_error=broken)
        _answer(qtbot, ask("process"))
    assert len(caught) == 1


def test_it_speaks_the_language_of_the_moment(qtbot, ask):
    assert _answer(qtbot, ask("spoken")).results == ["en"]
    i18n.set_language("zh_CN")
    assert _answer(qtbot, ask("spoken")).results == ["zh_CN"]


def test_who_closes_it_may_delete_it_at_once(qtbot, engine, ask, monkeypatch):
    """A thread that still emits a signal of what is deleted meanwhile ends the program."""
    def slowly(file):
        message = read_frame(file)
        if message is None:
            time.sleep(0.3)
        return message

    monkeypatch.setattr(engine_module, "read_frame", slowly)
    _answer(qtbot, ask("process"))
    engine.close()
    assert "engine reader" not in [thread.name for thread in threading.enumerate()]


def test_what_could_not_be_sent_to_a_dead_process_does_not_hinder_its_end(qtbot, engine, ask):
    asked = ask("slow", {"started": "nowhere/at all"}, key="view")
    engine._process.kill()
    engine._process.wait()
    engine._drop(asked.call)
    engine.close()
    assert not engine.busy


def test_a_ctrl_c_in_the_terminal_is_for_the_window(qtbot, engine, ask):
    _answer(qtbot, ask("double", {"values": np.zeros(1)}))
    process = engine._process
    process.send_signal(signal.SIGINT)
    assert not _answer(qtbot, ask("double", {"values": np.zeros(1)})).errors and engine._process is process
