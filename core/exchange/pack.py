"""A whole run as one file, *.lexi, and back: everything but the text that it was pretrained on. A finetune's labelled examples go with it.

A zip archive. Its first member names every other one with its size and SHA-256. An archive may come from anybody: it is unpacked into a
folder of its own, nothing outside it is ever written, no byte beyond what was declared, and the run takes its place when all hashes
fit and its settings can be read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from core.arrays import NOT_READABLE
from core.errors import UserError
from core.exchange.adopt import Imported
from core.i18n import tr
from core.runs import UNPACKED, Run, free_place
from core.whole import new_folder, replacing

MANIFEST = "lexiscope-run.json"
FORMAT = 1
SUFFIX = ".lexi"
LEFT_OUT = ("commands", "export", "worker.json", UNPACKED)  # of the machine, or made anew at will
STORED = (".safetensors", ".npz", ".npy")  # numbers do not become smaller, unless they were rounded
MOST_FILES = 20_000
LARGEST_MANIFEST = 16 << 20  # bytes
LARGEST_RATIO = 100  # unpacked to packed; what runs are made of stays below 30
SMALL = 64 << 20  # bytes that need no ratio
LARGEST_SETTINGS = 4 << 20  # bytes of a config.json
SPARE = 64 << 20  # bytes of the disk that stay free
_BLOCK = 1 << 20
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows
_LONGEST_NAME = 240

OnProgress = Callable[[float, str], None]


def pack(run: Run, out: Path, on_progress: OnProgress = lambda share, words: None, *, rounded: bool = False) -> dict[str, Any]:
    """Write the archive; returns {"path", "bytes", "files", "left_out": sentences, of damaged checkpoints and of names that an archive cannot
    hold}. rounded: its numbers were, so that they are worth deflating. UserError while it is trained, for an opened ONNX model, and where no
    checkpoint is whole."""
    if run.worker_pid():
        raise UserError(tr("The run {name} is being trained.", name=run.name), tr("Stop it first."))
    if run.whole != run.path:  # the model lies outside the run's folder
        raise UserError(tr("{name} is an ONNX model: hand its folder on as it is.", name=run.name), str(run.path.parent))
    out = Path(out)
    if out.is_dir() or out.suffix.lower() != SUFFIX:
        raise UserError(tr("{path} is no name for a packed run.", path=out), tr("Let it end in {suffix}.", suffix=SUFFIX), where="out")
    steps, whole = run.checkpoint_steps(), set(run.whole_steps())
    if steps and not whole:
        raise run.without_checkpoint(steps)
    damaged = [step for step in steps if step not in whole]
    paths = [(name, path) for name, path in _files(run.path) if not any(run.checkpoint_path(step) in path.parents for step in damaged)]
    good = {name: path for name, path in paths if _is_safe(name)}
    left_out = [tr("Left out: the checkpoint of step {step}, which is damaged.", step=step) for step in damaged]
    left_out += [tr("Left out: {name}", name=name) for name, _ in paths if name not in good]
    with _unchanged():
        total, done, files = sum(path.stat().st_size for path in good.values()), 0, {}
        for name, path in good.items():
            files[name] = {"size": path.stat().st_size, "sha256": _digest(path)}
            done += files[name]["size"]
            on_progress(0.4 * done / max(1, total), tr("reading"))
    manifest = {"format": FORMAT, "name": run.name, "family": run.config.family, "files": files}
    done = 0
    with replacing(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_info(MANIFEST), json.dumps(manifest, ensure_ascii=False))
        for name, path in good.items():
            with _unchanged(), path.open("rb") as source, archive.open(_info(name, rounded), "w", force_zip64=True) as target:
                digest = hashlib.sha256()
                while block := source.read(_BLOCK):
                    target.write(block)
                    digest.update(block)
            if digest.hexdigest() != files[name]["sha256"]:
                raise _changed()
            done += files[name]["size"]
            on_progress(0.4 + 0.6 * done / max(1, total), tr("packing"))
    return {"path": str(out), "bytes": out.stat().st_size, "files": len(good), "left_out": left_out}


@contextmanager
def _unchanged() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise _changed() from error


def _changed() -> UserError:
    return UserError(tr("The run changed while it was packed."), tr("Pack it again."))


def unpack(path: Path, target: Path | None = None, on_progress: OnProgress = lambda share, words: None) -> Imported:
    """Open an archive as a run in `target`, or in the runs' home. UserError for whatever is wrong with it; nothing is left behind then."""
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            members = _members(archive, manifest, path)
            _check_room(members, path)
            place = Path(target) if target else free_place(str(manifest.get("name", path.stem))[:60])
            place.parent.mkdir(parents=True, exist_ok=True)
            if sum(item.file_size for item in members.values()) + SPARE > shutil.disk_usage(place.parent).free:
                raise UserError(tr("The disk has no room for {path}.", path=path.name), tr("Free some space."))
            with new_folder(place) as folder:
                done, total = 0, sum(item.file_size for item in members.values())
                for name, info in members.items():
                    with archive.open(info) as source:
                        _write(source, folder / name, manifest["files"][name], path)
                    done += info.file_size
                    on_progress(done / max(1, total), tr("unpacking"))
                for name in ("commands", "probes", "checkpoints"):
                    (folder / name).mkdir(exist_ok=True)
                (folder / UNPACKED).write_text(json.dumps({"file": path.name}), encoding="utf-8")  # in ASCII, as origin.json
                Run.open(folder)  # UserError if it is none
    except FileNotFoundError as error:
        raise UserError(tr("{path} is missing.", path=path), tr("Choose another file.")) from error
    except NOT_READABLE as error:
        raise _damaged(path, tr("it is no whole archive")) from error
    return Imported(run=place)


def for_window(run: str, out: str, on_progress: Callable[..., None] = lambda *progress: None) -> dict[str, Any]:
    """As the window's engine calls it."""
    return pack(Run.open(Path(run)), Path(out), on_progress)


def is_packed(path: Path) -> bool:
    """Whether it looks like a packed run, whatever its name is."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()[0].filename == MANIFEST
    except (*NOT_READABLE, IndexError):
        return False


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Relative name and path of what is packed, in order: no links, nothing half written."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not (Path(place) / name).is_symlink()
                            and not (Path(place) == folder and name in LEFT_OUT))
        for name in sorted(names):
            path = Path(place) / name
            if not path.is_symlink() and path.is_file() and not name.startswith(".") and not (Path(place) == folder and name in LEFT_OUT):
                yield path.relative_to(folder).as_posix(), path


def _info(name: str, rounded: bool = False) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, time.localtime()[:6])
    info.compress_type = zipfile.ZIP_STORED if name.endswith(STORED) and not rounded else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    members = archive.infolist()
    if not members or members[0].filename != MANIFEST or members[0].file_size > LARGEST_MANIFEST:
        raise _damaged(path, tr("it is no packed run"))
    with archive.open(members[0]) as file:
        raw = json.loads(file.read(LARGEST_MANIFEST + 1))
    if not isinstance(raw, dict) or not isinstance(raw.get("files"), dict) or not isinstance(raw.get("format"), int):
        raise _damaged(path, tr("its list of files is damaged"))
    if raw["format"] > FORMAT:
        raise UserError(tr("{path} was written by a newer version.", path=path.name), tr("Open it with a newer version of Lexiscope."))
    for noted in raw["files"].values():
        if not isinstance(noted, dict) or not isinstance(noted.get("size"), int) or not re.fullmatch(r"[0-9a-f]{64}", str(noted.get("sha256"))):
            raise _damaged(path, tr("its list of files is damaged"))
    return raw


def _members(archive: zipfile.ZipFile, manifest: dict[str, Any], path: Path) -> dict[str, zipfile.ZipInfo]:
    """What is to be unpacked, by name. UserError for a name, a kind or a size that no packed run has."""
    infos = archive.infolist()[1:]
    names = [info.filename for info in infos]
    if len(names) > MOST_FILES:
        raise _damaged(path, tr("it holds {count} files", count=len(names)))
    if len({name.lower() for name in names}) != len(names):
        raise _damaged(path, tr("it holds a file twice"))
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if not _is_safe(info.filename) or kind not in (0, stat.S_IFREG) or info.is_dir():
            raise _damaged(path, tr("it holds {name}, which no run has", name=repr(info.filename)[:80]))
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _damaged(path, tr("it is encrypted, or packed in a way that runs are not"))
    if set(names) != set(manifest["files"]) or "config.json" not in manifest["files"]:
        raise _damaged(path, tr("its list of files does not fit its content"))
    if any(info.file_size != manifest["files"][info.filename]["size"] for info in infos):
        raise _damaged(path, tr("its list of files does not fit its content"))
    return {info.filename: info for info in infos}


def _check_room(members: dict[str, zipfile.ZipInfo], path: Path) -> None:
    total = sum(item.file_size for item in members.values())
    if total > SMALL and total > LARGEST_RATIO * path.stat().st_size:
        raise _damaged(path, tr("it would unpack to {size} MB", size=total >> 20))
    if members["config.json"].file_size > LARGEST_SETTINGS:
        raise _damaged(path, tr("its settings are far too large"))


def _is_safe(name: str) -> bool:
    """A relative path of plain names, the same on every system."""
    parts = name.split("/")
    return len(name) <= _LONGEST_NAME and len(parts) <= 6 and all(
        _PART.fullmatch(part) and not _RESERVED.fullmatch(part) and not part.endswith(".") for part in parts) and parts[0] not in LEFT_OUT


def _write(source: BinaryIO, target: Path, noted: dict[str, Any], path: Path) -> None:
    """Never more than was declared, whatever the archive says; and only what has the hash."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, written = hashlib.sha256(), 0
    with target.open("xb") as file:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > noted["size"]:
                break
            digest.update(block)
            file.write(block)
    if written != noted["size"] or digest.hexdigest() != noted["sha256"]:
        raise _damaged(path, tr("{name} does not fit its hash", name=target.name))


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(tr("{path} cannot be opened as a run: {reason}.", path=path.name, reason=reason), tr("Pack the run again where it came from."))
