"""From the start of the process to the first painted frame, in seconds: cold and warm, beside the smallest window of Qt.

    python -m benchmarks.startup [--runs 5] [--json FILE]

Cold: the files of the program and its libraries were taken out of the system's cache (by /proc/sys/vm/drop_caches where that is
allowed, else file by file). Keys: cold_s, warm_s (the median), warm_bare_s (the smallest window), cold_how, platform.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BARE = """
import os, sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel
class Window(QLabel):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, self, lambda: open(os.environ["LEXISCOPE_PAINT_REPORT"], "w").write(repr(time.time())))
app = QApplication(sys.argv)
window = Window("bare")
window.resize(1280, 720)
window.show()
app.exec()
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    program, bare = [sys.executable, str(ROOT / "main.py")], [sys.executable, "-c", BARE]
    how = _empty_cache()
    cold = _measure(program)
    warm = [_measure(program) for _ in range(options.runs)]
    small = [_measure(bare) for _ in range(options.runs)]
    found = {"cold_s": round(cold, 3), "warm_s": round(statistics.median(warm), 3),
             "warm_bare_s": round(statistics.median(small), 3), "cold_how": how,
             "platform": os.environ.get("QT_QPA_PLATFORM", "the desktop's")}
    print(f"{'':24}{'cold':>8}{'warm':>8}   (seconds; {options.runs} warm runs, median; {found['platform']})")
    print(f"{'Lexiscope':24}{cold:8.2f}{found['warm_s']:8.2f}   warm from {min(warm):.2f} to {max(warm):.2f}; cold: {how}")
    print(f"{'an empty Qt window':24}{'':8}{found['warm_bare_s']:8.2f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


def _measure(command: list[str], limit: float = 60.0) -> float:
    """Seconds from the start of the process to its first frame. The program has a home of its own and is ended afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "painted"
        environment = os.environ | {"LEXISCOPE_PAINT_REPORT": str(report), "LEXISCOPE_HOME": folder}
        begin = time.time()
        process = subprocess.Popen(command, env=environment, cwd=ROOT)
        try:
            while time.time() - begin < limit and process.poll() is None:
                if report.exists() and (text := report.read_text()):
                    return float(text) - begin
                time.sleep(0.005)
            raise SystemExit(f"no frame within {limit:.0f} s (exit status {process.poll()})")
        finally:
            process.kill()
            process.wait()


def _empty_cache() -> str:
    """Take our files out of the page cache; returns how."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
        return "drop_caches"
    except OSError:
        pass
    if not hasattr(os, "posix_fadvise"):
        return "not emptied: the first run of this benchmark"
    site = Path(next(path for path in sys.path if path.endswith("site-packages")))
    libraries = [site / name for name in ("PySide6", "shiboken6", "numpy", "psutil")]
    folders = [ROOT / "core", ROOT / "gui", ROOT / "resources", *libraries, Path(os.__file__).parent]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and "site-packages" not in path.relative_to(folder).parts:
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return "posix_fadvise, file by file"


if __name__ == "__main__":
    sys.exit(main())
