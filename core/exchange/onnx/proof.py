"""Does the exported file say what the network says, and how fast? Compared at many shapes, in every output.

absolute   max |a - b| over a tensor; a is torch's, b is ONNX Runtime's.
relative   absolute / max |a|: relative to the greatest number of the same output at any shape, not to each number by itself, of which some are 0.
           (Of one example, a head for numbers gives a single one, and that may be near 0.)
top1       of the logits: how often both have the same likeliest token (or label), over the real positions. Taken over all shapes together
           it is the agreement: one sentence of one token alone could only be all right or all wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import UserError
from core.exchange.onnx.graph import Graph
from core.exchange.onnx.session import CUDA, open_session
from core.i18n import tr

ROUNDS, WARM_UP, MOST_SECONDS = 200, 10, 3.0
MOST_RANDOM = 64  # tokens of a shape that is drawn
SPAN_AXES = 4  # of a span's logits: (batch, parts, tokens, 2)
MEASURED = {"batch": 1, "tokens": 32, "past": 31, "parts": 2, "units": 16}


def compare(graph: Graph, session: Any, shapes: tuple[dict[str, int], ...] = ()) -> list[dict[str, Any]]:
    """A row for each shape: {"shape", "absolute", "relative": the worst output's, "worst": its name, "top1": None without logits,
    "places": how many answers top1 is of, "outputs": {name: {"absolute", "relative"}}}."""
    rows, greatest = [], dict.fromkeys(graph.outputs, 0.0)
    for number, shape in enumerate(shapes or graph.shapes):
        inputs = graph.example(shape, number)
        with torch.no_grad():
            wanted = [tensor.float().numpy() for tensor in graph.reference(*inputs.values())]
        given = run(graph, session, {name: tensor.numpy() for name, tensor in inputs.items()})
        errors = {name: _error(a, b) for name, a, b in zip(graph.outputs, wanted, given, strict=True)}
        greatest = {name: max(greatest[name], float(np.abs(a).max(initial=0.0))) for name, a in zip(graph.outputs, wanted, strict=True)}
        agreed = [_same(a, b, inputs.get("attention_mask")) for name, a, b in zip(graph.outputs, wanted, given, strict=True) if "logits" in name]
        places = sum(map(len, agreed))
        rows.append({"shape": shape, "absolute": max(errors.values()), "top1": float(np.concatenate(agreed).mean()) if places else None,
                     "places": places, "outputs": errors})
    return [row | _relative(row["outputs"], greatest) for row in rows]


def _relative(errors: dict[str, float], greatest: dict[str, float]) -> dict[str, Any]:
    made = {name: {"absolute": error, "relative": error / greatest[name] if greatest[name] else float(error > 0)} for name, error in errors.items()}
    worst = max(made, key=lambda name: made[name]["relative"])
    return {"outputs": made, "relative": made[worst]["relative"], "worst": worst}


def random_shapes(graph: Graph, count: int) -> tuple[dict[str, int], ...]:
    """The graph's own shapes, then others at random until there are `count`; never fewer than its own."""
    rng = np.random.default_rng(0)
    shapes = list(graph.shapes)
    most = {"batch": 6, "parts": 5, **{axis: min(limit, MOST_RANDOM) for axis, limit in graph.limits.items()}}
    least = {axis: min(shape[axis] for shape in shapes) for axis in shapes[0]}
    while len(shapes) < count:
        made = {axis: int(rng.integers(least[axis], most.get(axis, MOST_RANDOM) + 1)) for axis in shapes[0]}
        if made.get("past", 0) + made.get("tokens", 0) <= graph.limits.get("past", made.get("tokens", 0)):
            shapes.append(made)
    return tuple(shapes)


def run(graph: Graph, session: Any, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    known = {item.name for item in (*session.get_inputs(), *session.get_overridable_initializers())}
    return session.run(list(graph.outputs), {name: array for name, array in inputs.items() if name in known})


def agreement(rows: list[dict[str, Any]]) -> float | None:
    """The share of all answers, at all shapes, that are torch's; None without logits."""
    places = sum(row["places"] for row in rows)
    return sum(row["top1"] * row["places"] for row in rows if row["places"]) / places if places else None


def require(rows: list[dict[str, Any]], precision: str, tolerance: float, least: float = 0.0) -> None:
    """UserError where a row misses the tolerance, naming the layer where the error begins; or where fewer answers than `least` are torch's."""
    _require_near(rows, precision, tolerance)
    agreed = agreement(rows)
    if agreed is not None and agreed < least:
        raise UserError(
            tr("The export in {precision} is refused: its likeliest token or label is another than torch's in {share:.1%} of {places} places "
               "(allowed: {allowed:.1%}).", precision=precision, share=1 - agreed, places=f"{sum(row['places'] for row in rows):,}",
               allowed=1 - least),
            tr("Choose a finer number format, or allow more with {option}.", option=f"agreement={max(agreed - 0.01, 0):.2f}"), where="logits")


def _require_near(rows: list[dict[str, Any]], precision: str, tolerance: float) -> None:
    worst = max(rows, key=lambda row: row["relative"] if np.isfinite(row["relative"]) else np.inf)
    if worst["relative"] <= tolerance:
        return
    layer = first_wrong(worst["outputs"], tolerance)
    shape = " x ".join(str(length) for length in worst["shape"].values())
    raise UserError(
        tr("The export in {precision} is refused: at {shape}, {output} is off by {error:.2g} of its greatest number (allowed: {tolerance:.2g}). "
           "The error begins in {layer}.", precision=precision, shape=shape, output=worst["worst"], error=worst["relative"], tolerance=tolerance,
           layer=layer),
        tr("Choose a finer number format, or allow a greater error."), where=layer)


def first_wrong(errors: dict[str, dict[str, float]], tolerance: float) -> str:
    """The first layer whose hidden states are off by more than that, in words; what follows the layers where all of them are right."""
    for name, error in errors.items():
        if name.startswith("hidden_states.") and not error["relative"] <= tolerance:
            layer = int(name.rpartition(".")[2])
            return tr("layer {number}", number=layer) if layer else tr("the embedding layer")
    return tr("what follows the last layer ({outputs})", outputs=", ".join(name for name, error in errors.items()
                                                                        if not error["relative"] <= tolerance))


def _error(a: np.ndarray, b: np.ndarray) -> float:
    """The greatest difference of tensors of one shape; infinite where the shapes differ or a number is none."""
    if a.shape != b.shape or not np.isfinite(b).all():
        return float("inf")
    return float(np.abs(a - b).max(initial=0.0))


def _same(a: np.ndarray, b: np.ndarray, mask: torch.Tensor | None) -> np.ndarray:
    """(places) bool: whether both have the same likeliest token, label, choice or place of an answer. A number has no likeliest one."""
    if a.shape[-1] == 1:
        return np.zeros(0, bool)
    if a.ndim == SPAN_AXES:  # where the answer begins and ends, among all tokens of all windows
        a, b = (array.reshape(len(array), -1, array.shape[-1]).swapaxes(1, 2) for array in (a, b))
    same = a.argmax(-1) == b.argmax(-1)
    real = mask.numpy().astype(bool) if mask is not None and mask.shape == same.shape else np.ones(same.shape, bool)
    return same[real]


def latency(graph: Graph, path: Path, threads: int) -> list[dict[str, Any]]:
    """Of one sentence of 32 tokens (one more token after 31, for writing), on the CPU and on a GPU where there is one:

    [{"device", "shape", "torch", "onnxruntime": {"p50", "p95" in ms, "threads"}, "speedup": of the medians, "provider": the one really used}].
    Both take turns, so that what else the machine does slows both; on a CPU each has the better of one thread and `threads`.
    """
    shape = measured_shape(graph)
    inputs = graph.example(shape, 0)
    races = [_race("cpu", graph.reference, graph, inputs, path, number) for number in sorted({1, threads})]
    rows = [_better(races) | {"shape": shape}]
    if torch.cuda.is_available():
        on_gpu = {name: tensor.to("cuda") for name, tensor in inputs.items()}
        rows.append(_race("cuda", graph.reference.to("cuda"), graph, on_gpu, path, threads) | {"shape": shape})
        graph.reference.to("cpu")
    return rows


def measured_shape(graph: Graph) -> dict[str, int]:
    """One sentence; of texts that are read apart as many as an example has at least: a question without a passage ends ONNX Runtime's process."""
    shape = {axis: min(MEASURED[axis], graph.limits.get(axis, MEASURED[axis])) for axis in graph.free_axes}
    if "parts" in shape:
        shape["parts"] = min(row["parts"] for row in graph.shapes)
    return shape


def _better(races: list[dict[str, Any]]) -> dict[str, Any]:
    """Each at the number of threads that suits it."""
    made = {**races[0], **{name: min((race[name] for race in races), key=lambda taken: taken["p50"]) for name in ("torch", "onnxruntime")}}
    return made | {"speedup": made["torch"]["p50"] / made["onnxruntime"]["p50"]}


def _race(device: str, network: Any, graph: Graph, inputs: dict[str, torch.Tensor], path: Path, threads: int) -> dict[str, Any]:
    torch.set_num_threads(threads)
    session = open_session(path, threads=threads, cuda=device == "cuda")
    arrays = {name: tensor.cpu().numpy() for name, tensor in inputs.items()}

    def by_torch() -> None:
        with torch.inference_mode():
            network(*inputs.values())
            if device == "cuda":
                torch.cuda.synchronize()

    times = _take_turns({"torch": by_torch, "onnxruntime": lambda: run(graph, session, arrays)})
    made: dict[str, Any] = {name: {"p50": float(np.percentile(taken, 50)), "p95": float(np.percentile(taken, 95)), "threads": threads}
                            for name, taken in times.items()}
    provider = session.get_providers()[0]
    used = f"{provider} ({torch.cuda.get_device_name()})" if provider == CUDA else provider
    return {"device": device, **made, "speedup": made["torch"]["p50"] / made["onnxruntime"]["p50"], "provider": used}


def _take_turns(functions: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Milliseconds of every call."""
    for function in functions.values():
        for _ in range(WARM_UP):
            function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.monotonic() + MOST_SECONDS
    for turn in range(ROUNDS):
        for name, function in functions.items():
            begin = time.perf_counter()
            function()
            times[name].append(1e3 * (time.perf_counter() - begin))
        if time.monotonic() > end and turn >= WARM_UP:
            break
    return times
