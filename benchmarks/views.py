"""How quickly the views draw and answer, on real widgets with the real engine.

    python -m benchmarks.views [--json] [--only attention]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable


def attention_part() -> dict[str, float]:
    """attention_grid_64_ms attention_grid_512_ms live_sentence_ms"""
    from benchmarks.attention import measure

    return measure()


def demo_part() -> dict[str, float]:
    """demo_senses_ms demo_figures_ms"""
    from benchmarks.demo import measure

    return measure()


def frames_part() -> dict[str, float]:
    """frame_ms_10k frame_ms_100k frame_ms_1m, beside pyqtgraph_ms_10k and so on"""
    from benchmarks.maps import frames

    return frames()


def layouts_part() -> dict[str, float]:
    """pca_100k_ms tsne_ratio"""
    from benchmarks.maps import layouts

    return layouts()


# name -> a function that returns {key: figure}
PARTS: dict[str, Callable[[], dict[str, float]]] = {"attention": attention_part, "demo": demo_part, "frames": frames_part, "layouts": layouts_part}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parsed = parser.parse_args()
    figures: dict[str, float] = {}
    for name in parsed.only:
        figures.update(PARTS[name]())
    if parsed.json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        print(f"{key:<28}{value:>12.2f}")


if __name__ == "__main__":
    main()
