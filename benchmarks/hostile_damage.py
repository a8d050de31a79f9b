"""The ways in which files come to harm, by chance or on purpose; a seed decides which."""

from __future__ import annotations

import io
import json
import pickle
import random
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hostile_files import KINDS

JUNK = [None, True, -1, 0, 10**9, 10**400, 1e308, -1e-320, "", "x" * 5000, "../../evil", "\ud800", [], {}, [[]] * 50, {"a": {"b": {}}}, "nan"]

STRUCK: list[str] = []  # what was run by opening a file


def strike() -> None:
    STRUCK.append("code was run")


class Evil:
    def __reduce__(self) -> tuple:
        return strike, ()


def damage(kind: str, folder: Path, seed: int) -> None:
    """Damage one of its files, in a way that the seed alone decides."""
    rng = random.Random(f"{kind} {seed}")
    paths = sorted(path for pattern in KINDS[kind].files for path in folder.glob(pattern) if path.is_file())
    path = rng.choice(paths)
    ways = [cut, flip, overwrite, insert, header, junk, evil]
    if path.suffix in (".json", ".jsonl"):
        ways += [values] * 6
    if path.suffix in (".lexi", ".npz"):
        ways += [members] * 6
    if path.suffix == ".safetensors":
        ways += [tensor_header] * 4
    rng.choice(ways)(path, rng)
    if "checkpoints" in path.parts and path.name != "manifest.json" and rng.random() < 0.7:
        renew_manifest(path.parent)  # damage that the hash does not show


def cut(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data) + 1)])


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 3, 20])):
        if data:
            data[rng.randrange(min(len(data), rng.choice([64, 1024, len(data)])))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def overwrite(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    start, length = rng.randrange(len(data) + 1), rng.choice([1, 8, 300])
    data[start : start + length] = rng.choice([bytes(length), b"\xff" * length, rng.randbytes(length)])
    path.write_bytes(data)


def insert(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    start = rng.randrange(len(data) + 1)
    what = rng.choice([b"\0", b"\n", b" ", b"[" * 20_000, b"9" * 6000, b'{"a":' * 3000, b"\t" * 50, "é\u202e".encode(),
                       data[: rng.randrange(len(data) + 1)]])
    path.write_bytes(data[:start] + what + data[start:])


def header(path: Path, rng: random.Random) -> None:
    """The numbers at the beginning are what formats keep their sizes in."""
    data = bytearray(path.read_bytes())
    huge = rng.choice([b"\xff" * 8, b"\x00" * 8, (1 << 40).to_bytes(8, "little"), (1 << 62).to_bytes(8, "little"), b"99999999"])
    start = rng.choice([0, 0, 2, 4, 8])
    data[start : start + len(huge)] = huge
    path.write_bytes(data)


def junk(path: Path, rng: random.Random) -> None:
    objects, endless = (b"\x93NUMPY\x01\x00v\x00" + text.ljust(117).encode() + b"\n" for text in (
        "{'descr': '|O', 'fortran_order': False, 'shape': (3, 3), }", "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 300), }"))
    path.write_bytes(rng.choice([b"", b"\n", b"null", b"[]", b"{}", b"0 0\n", b"3 0\n", b"1 99999999999\nx 1", rng.randbytes(500),
                                 b"PK\x03\x04" + rng.randbytes(40), objects, endless]))


def evil(path: Path, rng: random.Random) -> None:
    """A pickle in the file's place."""
    data = pickle.dumps(Evil(), protocol=rng.choice([0, 2, 4]))
    if rng.random() < 0.5:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("archive/data.pkl", data)
            archive.writestr("vectors.npy", data)
        data = held.getvalue()
    path.write_bytes(data)


def values(path: Path, rng: random.Random) -> None:
    """Another value, or a key more or less, somewhere in the JSON."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.suffix == ".jsonl" else [path.read_text(encoding="utf-8")]
    number = rng.randrange(len(lines))
    try:
        raw = json.loads(lines[number])
    except ValueError:
        return
    for _ in range(rng.choice([1, 1, 2, 5])):
        raw = _changed(raw, rng)
    lines[number] = json.dumps(raw)
    path.write_text("\n".join(lines), encoding="utf-8")


def _changed(raw: Any, rng: random.Random, depth: int = 0) -> Any:
    if isinstance(raw, dict) and raw and (depth == 0 or rng.random() < 0.8):
        key = rng.choice(list(raw))
        what = rng.random()
        if what < 0.1:
            return {name: value for name, value in raw.items() if name != key}
        if what < 0.15:
            return {**raw, rng.choice(["more", "", "__class__", "../x"]): rng.choice(JUNK)}
        return {**raw, key: _changed(raw[key], rng, depth + 1)}
    if isinstance(raw, list) and raw and rng.random() < 0.7:
        place = rng.randrange(len(raw))
        return [*raw[:place], _changed(raw[place], rng, depth + 1), *raw[place + 1 :]]
    if isinstance(raw, int) and not isinstance(raw, bool) and rng.random() < 0.5:
        return rng.choice([raw + 1, raw - 1, -raw, raw * 1000, 2**31, 2**63, 0])
    return rng.choice(JUNK)


def members(path: Path, rng: random.Random) -> None:
    """An archive with other members: names that lead elsewhere, sizes that are not true, the same name twice, arrays of objects."""
    with zipfile.ZipFile(path) as archive:
        held = [(info.filename, archive.read(info)) for info in archive.infolist()]
    place = rng.randrange(len(held))
    name, content = held[place]
    bad = rng.choice(["../evil", "/tmp/evil", "C:\\evil", "a/../../evil", "\0", "x" * 3000, "config.json/x", name, "commands/stop", "é", "CON"])
    way = rng.randrange(6)
    if way == 0:
        held.append((bad, b"evil"))
    elif way == 1:
        held[place] = (bad, content)
    elif way == 2:
        held[place] = (name, content[: rng.randrange(len(content) + 1)])
    elif way == 3:
        del held[place]
    elif way == 4:
        held[place] = (name, bytes(rng.choice([10, 3_000_000])))
    else:
        file = io.BytesIO()
        np.save(file, np.array([Evil()], object), allow_pickle=True)
        held[place] = (name, file.getvalue())
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])) as archive:
        warnings.simplefilter("ignore")
        for name, content in held:
            archive.writestr(zipfile.ZipInfo(name), content)
    if rng.random() < 0.4:
        data = bytearray(path.read_bytes())
        entry = data.rfind(b"PK\x01\x02", 0, rng.randrange(len(data)) + 4)
        if entry > 0:
            field = rng.choice([8, 10, 20, 24, 38, 42])  # flags, method, sizes, mode, offset
            data[entry + field : entry + field + 4] = rng.choice([b"\xff\xff\xff\x7f", b"\0\0\0\0", rng.randbytes(4)])
            path.write_bytes(data)


def tensor_header(path: Path, rng: random.Random) -> None:
    """Another shape, type or place of a tensor, with the header's length put right."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    raw = json.loads(data[8 : 8 + length])
    name = rng.choice([name for name in raw if name != "__metadata__"] or ["x"])
    change = rng.choice([{"shape": [2**40, 2**40]}, {"shape": [0]}, {"shape": [-1]}, {"dtype": "F16"}, {"dtype": "I64"}, {"dtype": "O"},
                         {"data_offsets": [0, 2**50]}, {"data_offsets": [8, 0]}, None])
    if change is None:
        raw[f"{name}.more"] = raw.pop(name, {})
    else:
        raw[name] = {**raw.get(name, {}), **change}
    made = json.dumps(raw).encode()
    path.write_bytes(len(made).to_bytes(8, "little") + made + data[8 + length :])


def renew_manifest(folder: Path) -> None:
    from core.hashes import sha256

    path = folder / "manifest.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({"sha256": {name: sha256(folder / name) for name in raw["sha256"]}}), encoding="utf-8")
    except (OSError, ValueError, KeyError):
        return
