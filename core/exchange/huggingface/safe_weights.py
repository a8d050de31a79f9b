"""The weights of a Hugging Face folder: safetensors alone, in one file or in several. Pickles are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.errors import UserError
from core.i18n import tr

INDEX = "model.safetensors.index.json"
LARGEST_JSON = 256 << 20  # bytes
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.bin", "model.pt", "model.pth", "model.ckpt")
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def read_json(path: Path) -> dict[str, Any]:
    """An object of a JSON file. UserError if it is missing, far too large, or none."""
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise UserError(tr("{path} is larger than {size} MB.", path=path.name, size=LARGEST_JSON >> 20), tr("Choose another folder."))
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(tr("{folder} holds no {name}.", folder=path.parent, name=path.name), tr("Choose another folder.")) from error
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(tr("{path} is damaged: it is no JSON.", path=path.name), tr("Fetch the file again.")) from error
    if not isinstance(raw, dict):
        raise UserError(tr("{path} is damaged: it is no JSON object.", path=path.name), tr("Fetch the file again."))
    return raw


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Every tensor of numbers by its name, float32. UserError for whatever is wrong."""
    state: dict[str, Tensor] = {}
    for path in _files(folder):
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 (no dict)
                    tensor = file.get_tensor(name)
                    if tensor.dtype in FLOATS:
                        state[_modern(name)] = tensor.float()
        except (SafetensorError, OSError, ValueError, RuntimeError, MemoryError, OverflowError, TypeError, KeyError) as error:
            raise UserError(tr("{path} is damaged: it is no file of safetensors.", path=path.name), tr("Fetch the file again.")) from error
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise UserError(tr("The weights hold values that are not finite numbers, in {name}.", name=name), tr("Fetch the file again."))
    return state


def _files(folder: Path) -> list[Path]:
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    if (folder / INDEX).is_file():
        names = read_json(folder / INDEX).get("weight_map")
        if not isinstance(names, dict) or not names or not all(isinstance(name, str) and re.fullmatch(r"[\w.-]+\.safetensors", name)
                                                               for name in names.values()):
            raise UserError(tr("{path} is damaged: it names no files of weights.", path=INDEX), tr("Fetch the file again."))
        files = [folder / name for name in sorted(set(names.values()))]
        if missing := [path.name for path in files if not path.is_file()]:
            raise UserError(tr("{folder} lacks {names}.", folder=folder, names=", ".join(missing[:3])), tr("Fetch the missing files too."))
        return files
    if any((folder / name).exists() for name in PICKLES) or any(folder.glob("pytorch_model-*.bin")):
        raise UserError(
            tr("{folder} keeps its weights in a pickle of PyTorch: opening one can run any program, so it is never opened.", folder=folder),
            tr("Where you trust it, convert it in Python: AutoModel.from_pretrained(folder).save_pretrained(new_folder) writes model.safetensors."))
    raise UserError(tr("{folder} holds no {name}.", folder=folder, name="model.safetensors"), tr("Choose another folder."))


def _modern(name: str) -> str:
    """The first BERTs call the two vectors of a layer norm gamma and beta."""
    for old, new in ((".gamma", ".weight"), (".beta", ".bias")):
        if "LayerNorm" in name and name.endswith(old):
            return name.removesuffix(old) + new
    return name
