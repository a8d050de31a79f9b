from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from core import launch
from core.errors import UserError
from gui.outcome import Outcome
from gui.run_process import Processes, _exit_code, log_tail

WORKER = """
import sys, time
from pathlib import Path
from core.runs import Run
run = Run.open(Path(sys.argv[2]))
run.claim()
print("training", flush=True)
while not run.commanded("stop"):
    time.sleep(0.02)
run.release()
sys.exit({code})
"""


@pytest.fixture
def processes(qtbot):
    made = Processes()
    yield made
    for run in made.running():
        made.kill(run)
    made.close()


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """A worker that does nothing until it is asked to stop."""
    def install(code: int = 0, text: str = WORKER) -> None:
        (tmp_path / "main.py").write_text(text.format(code=code))
        monkeypatch.setattr(launch, "_MAIN", tmp_path / "main.py")
        monkeypatch.setenv("PYTHONPATH", str(Path(launch.__file__).resolve().parent.parent))

    install()
    return install


def _begin(qtbot, processes, run):
    processes.start(run)
    qtbot.waitUntil(lambda: run.worker_pid() is not None, timeout=10_000)


def test_a_run_starts_and_stops_when_asked(qtbot, processes, worker, make_run):
    run = make_run()
    with qtbot.waitSignal(processes.started):
        _begin(qtbot, processes, run)
    assert processes.alive(run)
    assert processes.running() == [run]
    with qtbot.waitSignal(processes.ended, timeout=10_000) as caught:
        processes.stop(run)
    path, outcome = caught.args
    assert path == str(run.path)
    assert outcome.good
    assert log_tail(run) == "training"
    assert not processes.alive(run)


def test_a_run_that_is_trained_is_not_started_twice(qtbot, processes, worker, make_run):
    run = make_run()
    _begin(qtbot, processes, run)
    with pytest.raises(UserError):
        processes.start(run)


def test_commands_of_an_earlier_start_do_not_stop_the_next(qtbot, processes, worker, make_run):
    run = make_run()
    run.command("stop")
    run.command("pause")
    _begin(qtbot, processes, run)
    assert not run.commanded("stop")
    assert not run.commanded("pause")


def test_pause_and_go_on_are_files(qtbot, processes, worker, make_run):
    run = make_run()
    _begin(qtbot, processes, run)
    processes.pause(run)
    assert run.commanded("pause")
    processes.resume(run)
    assert not run.commanded("pause")


def test_how_it_ended_is_told(qtbot, processes, worker, make_run):
    worker(code=3)
    run = make_run()
    _begin(qtbot, processes, run)
    with qtbot.waitSignal(processes.ended, timeout=10_000) as caught:
        processes.stop(run)
    assert not caught.args[1].good
    assert "3" in caught.args[1].text


def test_discard_ends_it_and_moves_it_to_the_trash(qtbot, processes, worker, make_run):
    run = make_run()
    _begin(qtbot, processes, run)
    processes.discard(run)
    assert processes.running() == []
    assert not run.path.exists()


def test_runs_of_an_earlier_window_are_found_and_followed(qtbot, processes, worker, make_run):
    run = make_run()
    process = subprocess.Popen([sys.executable, str(launch._MAIN), "worker", str(run.path)], stdout=subprocess.DEVNULL)
    qtbot.waitUntil(lambda: run.worker_pid() is not None, timeout=10_000)
    assert [found.path for found in processes.find()] == [run.path]
    with qtbot.waitSignal(processes.ended, timeout=10_000):
        run.command("stop")
        qtbot.waitUntil(lambda: process.poll() is not None, timeout=10_000)


def test_a_run_outlives_the_one_who_started_it(qtbot, worker, make_run):
    processes, run = Processes(), make_run()
    _begin(qtbot, processes, run)
    process = processes._followed[run.path].process
    processes.close()
    assert run.worker_pid() is not None
    run.command("stop")
    qtbot.waitUntil(lambda: run.worker_pid() is None, timeout=10_000)
    os.waitpid(process.pid, 0)  # here, where the one who started it lives on, nobody else buries it


def test_a_process_that_ends_while_it_is_looked_at_has_ended(monkeypatch):
    def gone(_process):
        raise psutil.NoSuchProcess(1)

    monkeypatch.setattr(psutil.Process, "status", gone)
    assert _exit_code(psutil.Process()) == 0


@pytest.mark.parametrize(("code", "words"), [
    (0, "finished"), (-signal.SIGKILL, "memory"), (-signal.SIGSEGV, "segmentation"), (-signal.SIGTERM, "outside"), (5, "5"),
    (-99, "99")])
def test_outcomes_describe_themselves(code, words):
    assert words in Outcome.of(code).text
