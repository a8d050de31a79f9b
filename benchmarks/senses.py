"""Do the senses come apart? Every family is trained for so many minutes, then measured on labelled sentences.

    python -m benchmarks.senses --builtin [--minutes 1] [--language en]     the built-in text and specimens of 苹果, or of apple
    python -m benchmarks.senses --data FOLDER [--minutes 3]                 reviews.csv + headlines.tsv, senses_zh.tsv

word2vec reads the text once on the data, as its preset says on the built-in text. The best layer is the one with the
greatest centroid accuracy; beside it stand the shuffled labels and the bag of context (of the word2vec run).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FAMILIES = ["word2vec", "elmo", "gpt", "bert"]


def command(*arguments: str) -> str:
    result = subprocess.run([sys.executable, "main.py", *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(result.stderr)
    return result.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--builtin", action="store_true")
    source.add_argument("--data", type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--language", choices=("zh", "en"), default="zh", help="of the built-in text")
    parser.add_argument("--families", nargs="+", default=FAMILIES)
    parser.add_argument("--runs", type=Path, help="where the runs are kept; a temporary folder otherwise")
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args()
    minutes = parsed.minutes or (1.0 if parsed.builtin else 3.0)
    folder = parsed.runs or Path(tempfile.mkdtemp())
    text, sentences = ["--set", f"text.corpus={parsed.language}"], []
    if parsed.data:
        text += ["--corpus", str(parsed.data / "reviews.csv"), str(parsed.data / "headlines.tsv"), "--column", "review", "--column", "text"]
        sentences = ["--sentences", str(parsed.data / "senses_zh.tsv")]
        text += ["--watch", str(parsed.data / "senses_zh.tsv"), "--word", "苹果", "--set", "text.watched=苹果,三星,味道,卡"]
    made = []
    for family in parsed.families:
        limit = ["--minutes", str(minutes)] if family != "word2vec" else ["--epochs", "1"] if parsed.data else []
        start = time.monotonic()
        command("pretrain", family, *text, *limit, "--run", str(folder / family))
        made.append(str(folder / family))
        print(f"{family}: {time.monotonic() - start:.0f} s with the reading of the text", file=sys.stderr, flush=True)
    reports = json.loads(command("senses", *made, *sentences, "--json"))
    if parsed.json:
        print(json.dumps(reports, ensure_ascii=False))
        return
    print(f"{'word':<6}{'family':<10}{'layer':>6}{'auc':>8}{'centroid':>10}{'interval':>16}{'shuffled':>10}{'bag':>8}"
          "   place aside, bag   hard: centroid, interval, bag")
    for report in reports:
        best = max(report["layers"], key=lambda layer: layer["centroid_accuracy"])
        bag, hard = report["controls"]["bag_of_context"], best["hard"]
        line = (f"{report['word']:<6}{report['family']:<10}{best['layer']:>6}{best['auc']:>8.3f}{best['centroid_accuracy']:>10.3f}"
                f"{best['interval'][0]:>9.3f}–{best['interval'][1]:.3f}{report['controls']['shuffled']['centroid_accuracy']:>9.3f}{bag['centroid_accuracy']:>9.3f}")
        line += f"   {best['place_aside']['centroid_accuracy']:.3f}  {bag['place_aside']['centroid_accuracy']:.3f}"
        if hard["specimens"] and hard["interval"]:
            line += f"   {hard['centroid_accuracy']:.3f}  {hard['interval'][0]:.3f}–{hard['interval'][1]:.3f}  {bag['hard']['centroid_accuracy']:.3f}"
        print(line)


if __name__ == "__main__":
    main()
