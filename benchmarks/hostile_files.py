"""For each kind of file that can be opened: how a good one is made, how it is opened and asked, and which of its files are damaged."""

from __future__ import annotations

import io
import json
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.helpers.saved import saved_run

WORDS = ["苹果", "apple", "the", "cat", "3.14"]
TEXTS = ["妈妈买了一个苹果。", "The quick brown fox isn't here, 苹果 3.14!"]
JUNK = [None, True, -1, 0, 10**9, 10**400, 1e308, -1e-320, "", "x" * 5000, "../../evil", "\ud800", [], {}, [[]] * 50, {"a": {"b": {}}}, "nan"]


@dataclass(frozen=True)
class Kind:
    """make(folder): good files. open(folder): as the program opens and asks them. files: patterns of those that are damaged."""

    make: Callable[[Path], None]
    open: Callable[[Path], None]
    files: tuple[str, ...]


# opening

def open_model(folder: Path) -> None:
    from core.exchange.imports import import_any

    target = folder.parent / "imported"
    shutil.rmtree(target, ignore_errors=True)
    ask_run(import_any(folder / "model", target).run)


def open_vectors(name: str) -> Callable[[Path], None]:
    def opened(folder: Path) -> None:
        from core.exchange import word_vectors

        vectors = word_vectors.open_vectors(folder / name)
        vectors.nearest(vectors.array[0], 3)
        vectors.index("apple")

    return opened


def open_packed(folder: Path) -> None:
    from core.exchange.imports import import_any

    target = folder.parent / "imported"
    shutil.rmtree(target, ignore_errors=True)
    ask_run(import_any(folder / "run.lexi", target).run)


def open_run(folder: Path) -> None:
    ask_run(folder / "run0")


def ask_run(path: Path) -> None:
    """What the window and the command line read of a run."""
    from core.analysis import vectors
    from core.analysis.encode import attention_of, load, word_vectors
    from core.runs import Run
    from core.summaries import Summaries
    from core.text.specimens import Specimen, read_specimens

    run = Run.open(path)
    run.status()
    Summaries().read(path, alive=False)
    for step in run.probe_steps():
        vectors._probe(str(run.probe_path(step)), (step, 0))
    vectors._probe.cache_clear()
    if run.specimens_path.exists():
        read_specimens(run.specimens_path)
    loaded = load(run)
    word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, [Specimen(word="苹果", sense="a", text=TEXTS[0])])
    if "attentions" in loaded.family.capabilities:
        attention_of(loaded.encoder, loaded.family, loaded.tokenizer, TEXTS[1])


def open_tokenizer(folder: Path) -> None:
    from core.text.tokenizers import load_tokenizer

    for path in sorted(folder.glob("*.json")):
        tokenizer = load_tokenizer(path)
        for text in TEXTS:
            tokenizer.decode(tokenizer.encode(text).ids)
        [tokenizer.token(number) for number in range(tokenizer.vocab_size)]


def open_onnx(folder: Path) -> None:
    from core.exchange.imports import import_any

    ask_run(import_any(folder / "onnx").run)


# making

def make_run(folder: Path) -> None:
    from core import events

    folder.mkdir(parents=True)
    run = saved_run(folder, steps=(10,), probes=(10,))
    writer = events.EventWriter(run.events_path)
    writer.write(events.StepEnd(step=10, loss=1.0, learning_rate=0.1, grad_norm=1.0, tokens=5, tokens_per_s=1.0, progress=1.0, elapsed=1.0,
                                seconds_left=0.0, memory=5, metrics={"mlm_accuracy": 0.5}))
    writer.write(events.EvalEnd(step=10, metrics={"loss": 1.0}))
    writer.write(events.RunFinished(step=10, reason="complete"))
    writer.close()


def make_packed(folder: Path) -> None:
    from core.exchange.pack import pack
    from core.runs import Run

    make_run(folder)
    pack(Run.open(folder / "run0"), folder / "run.lexi")


def make_tokenizers(folder: Path) -> None:
    from core.config import TextConfig
    from core.registry import TOKENIZERS, lookup

    folder.mkdir(parents=True)
    for kind in TOKENIZERS:
        config = TextConfig(tokenizer=kind, vocab_size=400, min_count=1, watched=("苹果",))
        lookup(TOKENIZERS, kind)(config, TEXTS * 3).save(folder / f"{kind}.json")


def make_model(family: str) -> Callable[[Path], None]:
    """As others save it: without what our own exports hold beside."""
    def made(folder: Path) -> None:
        import torch

        from core import checkpoints
        from core.exchange.hf_export import export
        from core.registry import TOKENIZERS, load, lookup
        from core.registry import family as family_named
        from core.runs import Run
        from tests.helpers.runs import make_run as new_run

        folder.mkdir(parents=True)
        kind = "wordpiece" if family == "bert" else "bpe"
        run: Run = new_run(folder / "made", family, tokenizer=kind, vocab_size=400, watched=())
        tokenizer = lookup(TOKENIZERS, kind)(run.config.text, TEXTS * 3)
        tokenizer.save(run.tokenizer_path)
        torch.manual_seed(0)
        network = load(family_named(family).pretrain).build(run.config, tokenizer.vocab_size)
        checkpoints.save(run, checkpoints.Checkpoint(step=1, model=network.state_dict(), optimizer={}, state={"step": 1, "best": False}))
        export(run, folder / "model", {}, lambda share, words: None)
        for name in ("lexiscope.json", "lexiscope_tokenizer.json"):
            (folder / "model" / name).unlink()
        shutil.rmtree(folder / "made")

    return made


def make_vectors(kind: str) -> Callable[[Path], None]:
    def made(folder: Path) -> None:
        from core.exchange import projector, vector_files

        folder.mkdir(parents=True)
        words = [*WORDS, *(f"word{number}" for number in range(40))]
        array = np.random.default_rng(0).standard_normal((len(words), 6)).astype(np.float32)
        if kind == "text":
            vector_files.save_text(folder / "v.txt", words, array)
        elif kind == "binary":
            vector_files.save_binary(folder / "v.bin", words, array)
        elif kind == "npy":
            vector_files.save_npy(folder / "v.npy", words, array)
        elif kind == "npz":
            np.savez_compressed(folder / "v.npz", words=np.array(words), vectors=array)
        else:
            projector.save(folder / "p", words, array, {"sense": words})

    return made


def make_onnx(folder: Path) -> None:
    from core.exchange.exports import export

    make_run(folder)
    export(str(folder / "run0"), "onnx", str(folder / "onnx"), {})


KINDS = {
    "hf bert": Kind(make_model("bert"), open_model, ("model/*",)),
    "hf gpt2": Kind(make_model("gpt"), open_model, ("model/*",)),
    "tokenizer.json": Kind(make_model("bert"), open_model, ("model/tokenizer.json", "model/tokenizer_config.json")),
    "word2vec text": Kind(make_vectors("text"), open_vectors("v.txt"), ("v.txt",)),
    "word2vec binary": Kind(make_vectors("binary"), open_vectors("v.bin"), ("v.bin",)),
    "projector": Kind(make_vectors("projector"), open_vectors("p"), ("p/*",)),
    "npy": Kind(make_vectors("npy"), open_vectors("v.npy"), ("v.*",)),
    "npz": Kind(make_vectors("npz"), open_vectors("v.npz"), ("v.npz",)),
    "packed run": Kind(make_packed, open_packed, ("run.lexi",)),
    "run folder": Kind(make_run, open_run, ("run0/*.*", "run0/probes/*", "run0/checkpoints/*/*")),
    "our tokenizer": Kind(make_tokenizers, open_tokenizer, ("*.json",)),
    "onnx": Kind(make_onnx, open_onnx, ("onnx/*.*", "onnx/run/*")),
}


def make_good(kind: str, folder: Path) -> None:
    if not folder.exists():
        KINDS[kind].make(folder)


# damaging

STRUCK: list[str] = []  # what was run by opening a file


def strike() -> None:
    STRUCK.append("code was run")


class _Evil:
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
    data = pickle.dumps(_Evil(), protocol=rng.choice([0, 2, 4]))
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
        np.save(file, np.array([_Evil()], object), allow_pickle=True)
        held[place] = (name, file.getvalue())
    import warnings

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
