"""How late the window's event loop ever is while a run trains: a 5 ms timer in the real window, and how much it was held up.

    python -m benchmarks.smooth [--seconds 30] [--view train] [--synthetic] [--json FILE]

Starts a run of the quick preset as the window does, shows its curves, and measures. --synthetic: instead of training, another
process writes 200 events a second after a story of 50,000. Keys: p99_ms and longest_ms (the loop's lateness beyond the
timer's interval while it trains), opening_ms (the longest in the two seconds after the click that started it), idle_p99_ms and
idle_longest_ms (before the run began: what the machine itself does), events.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer

from core import config
from core.runs import Run
from gui import app as program
from gui import theme
from gui.main_window import MainWindow
from gui.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
INTERVAL_MS = 5
OPENING_S = 2.0  # in which the run comes onto the bench and the view makes its panel: that is a click's answer, not a stall
WRITER = """
import sys, time
from pathlib import Path
from core.events import EventWriter, RunStarted, StepEnd
writer = EventWriter(Path(sys.argv[1]))
writer.write(RunStarted(step=0, device="cpu", precision="fp32", processes=1, threads=1, parameters=1, train_tokens=1,
                        valid_tokens=1, vocab_size=1, total_steps=0, versions={}))
begin, step = time.time(), 0
def write():
    global step
    step += 1
    writer.write(StepEnd(step=step, loss=6 / (1 + step / 5000), learning_rate=1e-3, grad_norm=1.0, tokens=step * 2000,
                         tokens_per_s=10000.0, progress=0.5, elapsed=step / 200, seconds_left=1.0, memory=1))
for _ in range(50_000):
    write()
while time.time() - begin < float(sys.argv[2]):
    write()
    time.sleep(0.005)
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--view", default="train")
    parser.add_argument("--family", default="bert")
    parser.add_argument("--synthetic", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LEXISCOPE_HOME"] = folder
        found = _measure(options)
    print(f"{'':28}{'p99':>8}{'longest':>10}   (milliseconds late, over {options.seconds:.0f} s; {found['events']} events)")
    print(f"{'before the run':28}{found['idle_p99_ms']:8.2f}{found['idle_longest_ms']:10.2f}")
    print(f"{'the click that starts it':28}{'':8}{found['opening_ms']:10.2f}")
    print(f"{'while it trains':28}{found['p99_ms']:8.2f}{found['longest_ms']:10.2f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


def _measure(options: argparse.Namespace) -> dict[str, float]:
    app = program.make_app(["lexiscope"])
    theme.apply(app, "light")
    window = MainWindow(Settings())
    window.show()
    window.start()
    program.warm_up()

    def spend(seconds: float) -> tuple[float, float]:
        """Let the window live; returns the 99th percentile and the maximum of the lateness in milliseconds."""
        late: list[float] = []
        last = time.perf_counter()

        def tick() -> None:
            nonlocal last
            now = time.perf_counter()
            late.append(max((now - last) * 1000 - INTERVAL_MS, 0.0))
            last = now

        loop, timer = QEventLoop(), QTimer(interval=INTERVAL_MS)
        timer.setTimerType(timer.timerType().PreciseTimer)
        timer.timeout.connect(tick)
        QTimer.singleShot(round(seconds * 1000), loop.quit)
        timer.start()
        loop.exec()
        timer.stop()
        late.sort()
        return late[int(len(late) * 0.99)], late[-1]

    spend(1.5)
    window.show_view(options.view)
    spend(1.0)
    idle = spend(5.0)
    events = 0

    def count(_path: str, batch: list) -> None:
        nonlocal events
        events += len(batch)

    window.watcher.eventsArrived.connect(count)
    run = Run.create(config.build(options.family, options={"train.minutes": options.seconds / 60 + 1}))
    window.session.add_run(run)
    writer = None
    if options.synthetic:
        command = [sys.executable, "-c", WRITER, str(run.events_path), str(options.seconds + 5)]
        writer = subprocess.Popen(command, cwd=ROOT)
    else:
        window.processes.start(run)
    opening = spend(OPENING_S)
    busy = spend(options.seconds)
    if writer is not None:
        writer.kill()
        writer.wait()
    window.processes.kill(run)
    window.close()
    return {"opening_ms": round(opening[1], 2), "p99_ms": round(busy[0], 2), "longest_ms": round(busy[1], 2), "idle_p99_ms": round(idle[0], 2),
            "idle_longest_ms": round(idle[1], 2), "events": events}


if __name__ == "__main__":
    sys.exit(main())
