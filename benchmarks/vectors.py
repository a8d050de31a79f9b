"""Millions of word vectors: how long until they are open, and how long the map's search over all of them takes, exactly.

python -m benchmarks.vectors [--words 2000000] [--size 200] [--text] [--peer] [--json out.json]

The file is made up (random vectors) and lies in a temporary folder; with --peer, gensim stands beside us. A .npy is mapped as it is; a binary file is
converted once, into the cache (first open), and then mapped (second open). --text also converts a text file, which takes
minutes at this size.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis import embeddings, maps
from core.exchange.vectors import files as vector_files
from core.exchange.vectors.opened import open_vectors
from core.vector_source import COSINE, FILE, VectorSource

BLOCK = 50_000
SEARCHES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=2_000_000)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--text", action="store_true", help="also a text file")
    parser.add_argument("--peer", action="store_true", help="also gensim, which reads the binary file whole")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vectors-"))
    os.environ["LEXISCOPE_HOME"] = str(folder / "home")
    try:
        rows = list(measure(folder, given))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{given.words:,} vectors of {given.size}, {os.cpu_count()} cores{load}")
    print(f"{'file':<26}{'MB':>7}{'open, s':>10}{'again, s':>10}{'1st search, ms':>16}{'search, ms':>12}{'slowest, ms':>13}")
    for row in rows:
        print(f"{row['file']:<26}{row['megabytes']:>7.0f}{row['open_s']:>10.2f}{row['again_s']:>10.2f}{row['first_search_ms']:>16.0f}"
              f"{row['search_ms']:>12.0f}{row['slowest_ms']:>13.0f}")
    if given.json:
        slowest = max(row["search_ms"] for row in rows if not row["file"].startswith("gensim"))
        given.json.write_text(json.dumps({"words": given.words, "size": given.size, "rows": rows, "search_ms": slowest}, indent=1))


def measure(folder: Path, given: argparse.Namespace) -> Any:
    words = [f"word{number}" for number in range(given.words)]
    array = np.lib.format.open_memmap(folder / "v.npy", mode="w+", dtype=np.float32, shape=(given.words, given.size))
    random = np.random.default_rng(0)
    for start in range(0, given.words, BLOCK):
        array[start : start + BLOCK] = random.standard_normal((min(BLOCK, given.words - start), given.size), dtype=np.float32)
    array.flush()
    (folder / "v.txt").write_text("\n".join(words))
    settle()
    yield opened("npy", folder / "v.npy")
    vector_files.save_binary(folder / "b.bin", words, array)
    settle()
    yield opened("word2vec binary", folder / "b.bin")
    if given.peer:
        yield peer(folder / "b.bin")
    (folder / "b.bin").unlink()
    if given.text:
        vector_files.save_text(folder / "t.vec", words, array)
        settle()
        yield opened("word2vec text", folder / "t.vec")


def settle() -> None:
    """Let the system write what it still holds: writing 1.6 GB slows whatever is measured meanwhile."""
    if hasattr(os, "sync"):
        os.sync()


def opened(name: str, path: Path) -> dict[str, Any]:
    first, _ = timed(lambda: open_vectors(path))
    again, vectors = timed(lambda: open_vectors(path))
    source = VectorSource(kind=FILE, path=str(path))
    embeddings.opened_of(source)  # what the map does once
    settle()
    return {"file": name, "megabytes": path.stat().st_size / 1e6, "open_s": first, "again_s": again,
            **searched(lambda row: maps.neighbours(source, row, COSINE, 10), len(vectors))}


def peer(path: Path) -> dict[str, Any]:
    from gensim.models import KeyedVectors

    first, _ = timed(lambda: KeyedVectors.load_word2vec_format(str(path), binary=True))
    again, vectors = timed(lambda: KeyedVectors.load_word2vec_format(str(path), binary=True))
    return {"file": "gensim, word2vec binary", "megabytes": path.stat().st_size / 1e6, "open_s": first, "again_s": again,
            **searched(lambda row: vectors.similar_by_vector(vectors.vectors[row], topn=11), len(vectors))}


def searched(search: Callable[[int], Any], count: int) -> dict[str, float]:
    first, _ = timed(lambda: search(0))
    times = [timed(lambda row=row: search(row))[0] for row in np.linspace(1, count - 1, SEARCHES).astype(int).tolist()]
    return {"first_search_ms": first * 1000, "search_ms": statistics.median(times) * 1000, "slowest_ms": max(times) * 1000}


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    made = function()
    return time.perf_counter() - start, made


if __name__ == "__main__":
    main()
