"""A GPU that is only pretended, where there is none: its tensors lie in the CPU's memory, say that they lie elsewhere, and meet no others.

It finds what would end the first step on a real one: a tensor made on the CPU beside one of the GPU, and numpy asked to read the GPU's memory.
It looks at what Python asks of torch; what torch does inside, how fast and how exactly a GPU computes, it cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")
BOTH = frozenset({"to", "cpu", "copy_", "__set__", "backward", "__setitem__"})  # may be given tensors of both
TORCHS_OWN = ("_foreach", "_fused")  # of torch's optimizers, which count steps on the CPU


class OnGpu(Tensor):
    """One that says it lies on the GPU."""


class _Mode(TorchFunctionMode):
    """Every call of torch comes through here."""

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs, name = kwargs or {}, func.__name__
        if func is torch.device:
            return func(*args, **kwargs)
        if name == "__get__" and func.__self__ is Tensor.device:
            return _device(args[0])
        given = [item for item in tree_flatten((args, kwargs))[0] if isinstance(item, Tensor)]
        _refuse_mixed(name, args, given)
        place = _place_of_result(name, args, kwargs, given)
        args, kwargs = tree_map(_for_cpu, (args, kwargs))
        with torch._C.DisableTorchFunctionSubclass():
            made = func(*args, **kwargs)
            changed = name in ("to", "cpu")  # else what was given comes back as it was, from an operation in place
            return tree_map(lambda item: item if not changed and any(item is one for one in given) else _put(item, place), made)


def _device(tensor: Tensor) -> torch.device:
    return GPU if isinstance(tensor, OnGpu) else CPU


def _refuse_mixed(name: str, args: tuple, given: list[Tensor]) -> None:
    """What torch refuses. Numbers may lie anywhere, and so may the indices of what lies on the GPU."""
    if not any(isinstance(item, OnGpu) for item in given):
        return
    if name in ("numpy", "__array__"):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.")
    indexed = name == "__getitem__" and isinstance(args[0], OnGpu)
    strays = [item for item in given if not isinstance(item, OnGpu) and item.ndim]
    if strays and not indexed and name not in BOTH and not name.startswith(TORCHS_OWN):
        raise RuntimeError(f"Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! ({name})")


def _place_of_result(name: str, args: tuple, kwargs: dict[str, Any], given: list[Tensor]) -> torch.device:
    asked = [item for item in (*args[1:], *kwargs.values()) if isinstance(item, torch.device | str)] if name == "to" else [kwargs.get("device")]
    if name == "cpu":
        return CPU
    if asked and asked[0] is not None:
        return torch.device(asked[0])
    if name == "to" and len(args) > 1 and isinstance(args[1], Tensor):
        return _device(args[1])
    if name == "__getitem__":
        return _device(args[0])
    return GPU if any(isinstance(item, OnGpu) for item in given) else CPU


def _for_cpu(item: Any) -> Any:
    return CPU if isinstance(item, torch.device) and item.type == "cuda" else item


def _put(item: Any, place: torch.device) -> Any:
    if not isinstance(item, Tensor) or _device(item).type == place.type:
        return item
    return item.as_subclass(OnGpu if place.type == "cuda" else Tensor)


def _module_to(module: nn.Module, device: torch.device) -> nn.Module:
    """nn.Module.to; weights that are tied stay so."""
    moved: dict[int, Tensor] = {}
    with torch._C.DisableTorchFunction():
        for part in module.modules():
            for table in (part._parameters, part._buffers):
                for name, old in table.items():
                    if old is not None and id(old) not in moved:
                        moved[id(old)] = old.detach().clone().as_subclass(OnGpu if device.type == "cuda" else Tensor)
                        if table is part._parameters:
                            moved[id(old)].requires_grad_(old.requires_grad)
                            moved[id(old)]._is_param = True  # as nn.Parameter marks a tensor of another class
                    if old is not None:
                        table[name] = moved[id(old)]
            if isinstance(part, nn.RNNBase):
                part._flat_weights = [getattr(part, name) for name in part._flat_weights_names]
    return module


@contextmanager
def pretend_gpu() -> Iterator[torch.device]:
    """Until its end the device that is yielded takes tensors and modules."""
    real = nn.Module.to
    nn.Module.to = _module_to
    try:
        with _Mode():
            yield GPU
    finally:
        nn.Module.to = real
