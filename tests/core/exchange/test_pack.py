"""A run in one file and back, and the files that nobody packed honestly."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core import checkpoints, cli, events
from core.errors import UserError
from core.exchange import pack as packing
from core.exchange.imports import import_any
from core.exchange.pack import MANIFEST, is_packed, pack, unpack
from core.runs import UNPACKED, Run
from core.tasks.create import newest_step
from tests.helpers.saved import saved_run


@pytest.fixture(autouse=True)
def _fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXISCOPE_HOME", str(tmp_path / "home"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = saved_run(tmp_path, steps=(10, 20), probes=(10,))
    events.EventWriter(made.events_path).write(events.RunFinished(step=20, reason="complete"))
    (made.path / "export").mkdir()
    (made.path / "export" / "model.onnx").write_bytes(b"x")
    made.command("stop")
    (made.path / "worker.json").write_text("{}")
    (made.path / "elsewhere").symlink_to("/etc/passwd")
    return made


def test_a_run_comes_back_whole(run: Run, tmp_path: Path) -> None:
    report = pack(run, tmp_path / "out.lexi")
    assert is_packed(tmp_path / "out.lexi") and report["left_out"] == []
    again = Run.open(import_any(tmp_path / "out.lexi").run)
    assert again.path.parent == tmp_path / "home" / "runs" and again.config == run.config
    names = {path.relative_to(run.path).as_posix() for path in run.path.rglob("*") if path.is_file() and not path.is_symlink()}
    kept = {name for name in names if not name.startswith(("export/", "commands/")) and name != "worker.json"}
    assert {path.relative_to(again.path).as_posix() for path in again.path.rglob("*") if path.is_file()} == kept | {UNPACKED}
    assert all((again.path / name).read_bytes() == (run.path / name).read_bytes() for name in kept)
    assert checkpoints.load(again).step == 20 and again.status().state == "finished" and again.probe_steps() == [10]
    assert import_any(tmp_path / "out.lexi").run != again.path  # a second time: beside it
    assert again.trained_elsewhere and not run.trained_elsewhere
    pack(again, tmp_path / "again.lexi")
    assert Run.open(import_any(tmp_path / "again.lexi").run).config == run.config


@pytest.mark.parametrize(("changed", "when"), [("renamed", "reading"), ("pruned", "reading"), ("pruned", "packing")])
def test_a_run_that_changes_while_it_is_packed_is_not_packed(changed: str, when: str, run: Run, tmp_path: Path) -> None:
    done: list[str] = []

    def meanwhile(_share: float, words: str) -> None:
        if words == when and not done:  # after the first, the settings
            done.append(changed)
            if changed == "renamed":
                Run.open(run.path).rename("another")
            else:
                shutil.rmtree(run.checkpoint_path(20))

    with pytest.raises(UserError, match="changed while it was packed"):
        pack(run, tmp_path / "out.lexi", meanwhile)
    assert done and not list(tmp_path.glob("*.lexi*"))


def test_a_name_of_ones_own_and_nothing_is_overwritten(run: Run, tmp_path: Path) -> None:
    pack(run, tmp_path / "out.lexi")
    assert unpack(tmp_path / "out.lexi", tmp_path / "mine").run == tmp_path / "mine"
    before = (tmp_path / "mine" / "config.json").read_bytes()
    with pytest.raises(UserError, match="not empty"):
        unpack(tmp_path / "out.lexi", tmp_path / "mine")
    assert (tmp_path / "mine" / "config.json").read_bytes() == before
    with pytest.raises(UserError, match="no name"):
        pack(run, tmp_path / "out.zip")


def rewritten(source: Path, target: Path, change: Callable[[dict, dict], None]) -> Path:
    """The archive with other members: change(files: name -> bytes, the manifest's files) does what it likes."""
    with zipfile.ZipFile(source) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()[1:]}
        manifest = json.loads(archive.read(MANIFEST))
    change(files, manifest["files"])
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest))
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def note(content: bytes) -> dict[str, object]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def add(name: str, content: bytes = b"evil") -> Callable[[dict, dict], None]:
    def change(files: dict, noted: dict) -> None:
        files[name], noted[name] = content, note(content)
    return change


def swap(files: dict, noted: dict) -> None:
    files["config.json"] = files["config.json"].replace(b"bert", b"brot")


def other_tokenizer(files: dict, noted: dict) -> None:
    files["tokenizer.json"] = files["tokenizer.json"][::-1]  # nothing but its hash tells


def wrong_size(files: dict, noted: dict) -> None:
    noted["config.json"]["size"] += 1


def no_settings(files: dict, noted: dict) -> None:
    del files["config.json"], noted["config.json"]


def bomb(files: dict, noted: dict) -> None:
    add("zeros.npz", bytes(packing.SMALL + (40 << 20)))(files, noted)


HOSTILE = {
    "../evil": add("../evil"), "/evil": add("/evil"), "a/../../evil": add("a/../../evil"), "C:evil": add("C:evil"), "back\\evil": add("..\\evil"),
    "CON": add("con.txt"), "case": add("CONFIG.json"), "command": add("commands/stop"), "hash": swap, "other hash": other_tokenizer,
    "size": wrong_size,
    "settings": no_settings,
    "unlisted": lambda files, noted: files.update(more=b"x"), "missing": lambda files, noted: files.pop("tokenizer.json"), "bomb": bomb,
    "not a run": add("config.json", b"{}"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_dishonest_archive_is_refused_and_leaves_nothing(name: str, run: Run, tmp_path: Path) -> None:
    pack(run, tmp_path / "out.lexi")
    bad = rewritten(tmp_path / "out.lexi", tmp_path / "bad.lexi", HOSTILE[name])
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    with pytest.raises(UserError):
        unpack(bad)
    left = [path for path in sorted(str(path) for path in tmp_path.rglob("*")) if path not in before]
    assert left in ([], [str(tmp_path / "home"), str(tmp_path / "home" / "runs")])


@pytest.mark.parametrize(("name", "value", "words"), [
    ("LARGEST_SETTINGS", 10, "settings are far too large"), ("FORMAT", 0, "newer version"), ("SPARE", 1 << 60, "no room"),
    ("MOST_FILES", 2, "it holds"), ("LARGEST_MANIFEST", 10, "no packed run")])
def test_what_is_too_large_or_too_new_is_refused_in_its_words(
        run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: int, words: str) -> None:
    pack(run, tmp_path / "out.lexi")
    monkeypatch.setattr(packing, name, value)
    with pytest.raises(UserError, match=words):
        unpack(tmp_path / "out.lexi", tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(("place", "value"), [(8, 1), (10, zipfile.ZIP_LZMA)])
def test_a_member_that_is_encrypted_or_packed_otherwise_is_named_as_such(run: Run, tmp_path: Path, place: int, value: int) -> None:
    pack(run, tmp_path / "out.lexi")
    data = bytearray((tmp_path / "out.lexi").read_bytes())
    data[data.rfind(b"PK\x01\x02") + place] = value  # of the last member: its flags, or how it is packed
    (tmp_path / "bad.lexi").write_bytes(data)
    with pytest.raises(UserError, match="is encrypted, or packed in a way that runs are not"):
        unpack(tmp_path / "bad.lexi", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_links_duplicates_and_lies_about_sizes(run: Run, tmp_path: Path) -> None:
    pack(run, tmp_path / "out.lexi")
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for bad, member in ((tmp_path / "link.lexi", link), (tmp_path / "twice.lexi", zipfile.ZipInfo("config.json"))):
        rewritten(tmp_path / "out.lexi", bad, lambda files, noted: noted.update(link=note(b"/etc/passwd")))
        with zipfile.ZipFile(bad, "a") as archive, pytest.warns(UserWarning) if "twice" in bad.name else open(bad, "rb"):
            archive.writestr(member, b"/etc/passwd")
        with pytest.raises(UserError):
            unpack(bad)
    data = bytearray((tmp_path / "out.lexi").read_bytes())
    directory = data.rfind(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (12345).to_bytes(4, "little")  # the unpacked size of the last member
    (tmp_path / "lie.lexi").write_bytes(data)
    with pytest.raises(UserError):
        unpack(tmp_path / "lie.lexi")


def test_an_opened_onnx_model_is_not_packed_without_its_model(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.path, tmp_path / "theirs" / "run", symlinks=True)
    (tmp_path / "theirs" / "model.onnx").write_bytes(b"x")
    with pytest.raises(UserError, match="is an ONNX model"):
        pack(Run.open(tmp_path / "theirs"), tmp_path / "out.lexi")
    assert not (tmp_path / "out.lexi").exists()


def test_a_run_that_is_being_trained_is_not_packed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "worker_pid", lambda self: 1)
    with pytest.raises(UserError, match="being trained"):
        pack(run, tmp_path / "out.lexi")
    assert not (tmp_path / "out.lexi").exists()


def test_a_damaged_checkpoint_is_left_out_and_a_run_without_a_whole_one_is_not_packed(run: Run, tmp_path: Path,
                                                                                      capsys: pytest.CaptureFixture) -> None:
    def damage(step: int) -> None:
        path = run.checkpoint_path(step) / "model.safetensors"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)

    damage(20)
    assert cli.main(["pack", str(run.path), str(tmp_path / "out.lexi")]) == 0
    assert capsys.readouterr().err == "Left out: the checkpoint of step 20, which is damaged.\n"
    assert checkpoints.load(Run.open(import_any(tmp_path / "out.lexi").run)).step == 10
    damage(10)
    with pytest.raises(UserError, match="at step 20 is damaged"):
        pack(run, tmp_path / "none.lexi")
    with pytest.raises(UserError, match="at step 20 is damaged"):  # and not that it has none yet
        newest_step(run)
    assert not (tmp_path / "none.lexi").exists()


def test_the_command_line_replaces_no_packed_run(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "other.lexi"
    out.write_bytes(b"another run")
    assert cli.main(["pack", str(run.path), str(out)]) == 2 and out.read_bytes() == b"another run"
    assert "is there already" in capsys.readouterr().err
