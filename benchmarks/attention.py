"""How long the attention view takes, in the real window with the real engine: a part of benchmarks.views.

Models with weights drawn at random; "quick" are the quick presets with 4 layers (4 heads, 128), "base" the sizes of the papers
(12 layers, 12 heads, 768). A sentence is timed from the keystroke until its pictures are painted, all runs of the bench.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from core import config, runs
from core.runs import Run
from gui import app as program
from gui import theme
from gui.main_window import MainWindow
from gui.settings import Settings

SENTENCE = "昨天的发布会上他说苹果公司推出了新手机，我却只想吃一个又红又甜的苹果。"
BASE = {"num_layers": 12, "num_heads": 12, "hidden_size": 768, "max_seq_len": 512}
TIMES = 15
WAIT_S = 60.0


def measure() -> dict[str, float]:
    """attention_grid_64_ms, attention_grid_512_ms: all heads of a base model, a new sentence of so many tokens. attention_stall_512_ms: how
    long the window's loop was held up meanwhile. attention_head_512_ms: another head of it. live_sentence_ms: a keystroke in a sentence of 64
    tokens, with a GPT and a BERT of the quick preset side by side, the median; live_sentence_worst_ms. live_sentence_base_ms: the same with a
    BERT of base size."""
    made: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ[runs.HOME_VARIABLE] = folder
        quick = [make_run(Path(folder) / name, name, num_layers=4) for name in ("gpt", "bert")]
        base = make_run(Path(folder) / "base", "bert", **BASE)
        app = QApplication.instance() or program.make_app(["lexiscope"])
        app.setStyle("Fusion")
        theme.apply(app, "light")
        settings = Settings()
        settings.view = "attention"
        window = MainWindow(settings)
        window.resize(1280, 720)
        window.show()
        for run in quick:
            window.session.add_run(run)
        view = window.view
        show(window, text(60))
        spent = [show(window, text(60) + "好" * (1 + number % 2))[0] for number in range(TIMES)]
        made["live_sentence_ms"], made["live_sentence_worst_ms"] = statistics.median(spent), max(spent)
        for mode in ("map", "lines"):
            view.modes.button(mode).click()
            show(window, text(60))
            made[f"live_sentence_{mode}_ms"] = statistics.median(show(window, text(60) + "好" * (1 + number % 2))[0] for number in range(TIMES))
        view.modes.button("grid").click()
        for run in quick:
            window.session.remove_run(run.path)
        window.session.add_run(base)
        show(window, text(62))
        made["attention_grid_64_ms"] = statistics.median(show(window, text(61) + str(number))[0] for number in range(5))
        made["live_sentence_base_ms"] = made["attention_grid_64_ms"]
        _, stall = show(window, text(510))  # the first of that length, which no figure counts here
        made["attention_grid_512_ms"], other = show(window, text(509) + "好")
        made["attention_stall_512_ms"] = max(stall, other)
        view.modes.button("map").click()
        wait(window, *[panel.answer for panel in view.panels.values()])
        window.session.head = 5
        before, begin = view.panels[base.path].answer, time.perf_counter()
        wait(window, before)
        made["attention_head_512_ms"] = 1000 * (time.perf_counter() - begin)
        window.close()
        window.deleteLater()
        app.processEvents()
    return made


def make_run(folder: Path, family_name: str, **sizes: int) -> Run:
    """A run with a checkpoint of random weights and a vocabulary of the sentence's characters."""
    import torch

    from core import checkpoints
    from core.registry import family, load
    from core.text.tokenizers import char

    run = Run.create(config.build(family_name, options={"watched": ("苹果",), "min_count": 1, **sizes}), folder)
    tokenizer = char.train(run.config.text, [SENTENCE * 2 + "好0123456789"])
    tokenizer.save(run.tokenizer_path)
    torch.manual_seed(0)
    network = load(family(family_name).pretrain).build(run.config, tokenizer.vocab_size)
    state = {"step": 1, "best": False}
    checkpoints.save(run, checkpoints.Checkpoint(step=1, model=network.state_dict(), optimizer={}, state=state))
    return run


def text(tokens: int) -> str:
    return (SENTENCE * (tokens // len(SENTENCE) + 1))[:tokens]


def show(window: MainWindow, sentence: str) -> tuple[float, float]:
    """Type it; (milliseconds until all pictures are painted, the longest time in which the window's loop did not turn)."""
    view = window.view
    before = [panel.answer for panel in view.panels.values()]
    begin = time.perf_counter()
    view.sentence.text.setText(sentence)
    longest = wait(window, *before)
    QApplication.processEvents()  # what was asked to be painted is
    return 1000 * (time.perf_counter() - begin), longest


def wait(window: MainWindow, *before: Any) -> float:
    """Until every panel has another answer than before and nothing more is asked; the longest turn of the loop, in milliseconds."""
    view, longest, end = window.view, 0.0, time.perf_counter() + WAIT_S

    def ready() -> bool:
        answers = [panel.answer for panel in view.panels.values()]
        new = len(answers) == len(window.session.bench) and all(one is not None and not any(one is old for old in before) for one in answers)
        return new and not view._timer.isActive() and not window.engine.busy

    while not ready():
        if time.perf_counter() > end:
            raise SystemExit("The attention view did not answer.")
        turn = time.perf_counter()
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        longest = max(longest, 1000 * (time.perf_counter() - turn))
        time.sleep(0.0005)
    return longest
