"""Long work in processes of its own."""

from __future__ import annotations

import os

import psutil
import pytest

from gui.engine import NICER, Engine
from gui.jobs import CANCELLED, DONE, FAILED, Jobs

PLACE = "tests.gui.engine_functions:"


@pytest.fixture
def jobs(qtbot):
    made = Jobs()
    yield made
    made.close()


def test_the_engine_answers_while_a_job_is_at_work(qtbot, jobs, tmp_path):
    engine, answers = Engine(), []
    jobs.start("export", PLACE + "slow", {"started": tmp_path / "started"})
    qtbot.waitUntil((tmp_path / "started").exists, timeout=15_000)
    engine.call(PLACE + "process", {}, on_done=answers.append, on_error=answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=15_000)
    assert isinstance(answers[0], int) and answers[0] != jobs.of("export").engine._process.pid and jobs.of("export").running
    engine.close()


def test_what_it_tells_and_gives_is_kept_and_its_process_goes(qtbot, jobs):
    job = jobs.start("export", PLACE + "steps", {}, about="mine")
    pid = job.engine._process.pid
    qtbot.waitUntil(lambda: not job.running, timeout=15_000)
    assert (job.state, job.progress, job.result, job.about) == (DONE, (2, 3), "ready", "mine") and jobs.of("export") is job
    assert not psutil.pid_exists(pid)


def test_who_asked_for_it_is_told_of_the_end_of_each_once_and_it_is_forgotten(qtbot, jobs, tmp_path):
    told = []
    first = jobs.start("pack", PLACE + "slow", {"started": tmp_path / "started"}, on_end=told.append)
    second = jobs.start("pack", PLACE + "steps", {}, on_end=told.append)  # to the same place: the first one is cancelled
    assert told == [first] and jobs.of("pack") is second
    qtbot.waitUntil(lambda: not second.running, timeout=15_000)
    assert told == [first, second] and [job.state for job in told] == [CANCELLED, DONE] and jobs.of("pack") is None


def test_a_refusal_and_a_crash_are_told(qtbot, jobs):
    refused, crashed = (jobs.start(name, PLACE + name, {}) for name in ("refuse", "crash"))
    qtbot.waitUntil(lambda: not jobs.running(), timeout=15_000)
    assert refused.state == FAILED and refused.problem == ("The file is not there.", "Choose another.")
    assert crashed.state == FAILED and "segmentation fault" in crashed.problem[0]


def test_a_cancelled_job_clears_up_and_its_process_goes(qtbot, jobs, tmp_path):
    job = jobs.start("export", PLACE + "tidy", {"folder": tmp_path / "half"})
    pid = job.engine._process.pid
    qtbot.waitUntil((tmp_path / "half").exists, timeout=15_000)
    jobs.cancel("export")
    assert job.state == CANCELLED and not jobs.running()
    qtbot.waitUntil(lambda: not psutil.pid_exists(pid), timeout=5_000)
    assert not (tmp_path / "half").exists()


def test_a_deaf_job_is_ended(qtbot, jobs, tmp_path):
    job = jobs.start("export", PLACE + "slow", {"started": tmp_path / "started"})
    pid = job.engine._process.pid
    qtbot.waitUntil((tmp_path / "started").exists, timeout=15_000)
    jobs.cancel("export")
    qtbot.waitUntil(lambda: not psutil.pid_exists(pid), timeout=5_000)


def test_a_job_lets_others_go_first(qtbot, jobs):
    job = jobs.start("export", PLACE + "niceness", {})
    qtbot.waitUntil(lambda: not job.running, timeout=15_000)
    assert job.result == min(os.nice(0) + NICER, 19)


def test_when_the_window_goes_so_does_the_job(qtbot, jobs, tmp_path):
    job = jobs.start("export", PLACE + "slow", {"started": tmp_path / "started"})
    pid = job.engine._process.pid
    jobs.close()
    assert not psutil.pid_exists(pid) and not jobs.running()
