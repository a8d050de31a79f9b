"""Opening an ONNX file that may be damaged or hostile, and asking it.

A file is first opened in a process of its own, with a clock beside it: what ends or stops that one ends nothing here. It looks at
the file's structure, at where its weights lie, at its operators, and asks it about one token.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

from core.errors import UserError, system_words
from core.i18n import tr

PROBE_SECONDS = 60
PROBE_EXTRA_SECONDS = 20  # for each GB
LONGEST = 1024  # tokens of one text that a model is tried with
TRIED_SECONDS = 15  # with texts of several lengths; a slow model is said to read what it has read by then
TRIED_TOKEN = 2  # neither 0 nor 1: one of these is what models pad with, and RoBERTa counts its places by what is no padding
FEWEST = {"past": 0, "parts": 2}  # along these axes, 1 along the others: a question has its passage beside it
UNITS = "units"  # the input of a tagging graph that says at which token each of its units stands: at the first, where there is but one
MOST_MEMORY = 4  # times the file's size, and LEAST_MEMORY beside it: more than that, a model of ours never takes for one token
LEAST_MEMORY = 6 << 30
NO_ENCODER = frozenset({"Loop", "Scan", "If", "SequenceMap"})  # nothing that may run for ever
DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})
ROOT = Path(__file__).resolve().parents[3]
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
FLOATS = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(int64)": "int64", "tensor(int32)": "int32"}


def look(path: Path, *, lengths: bool = False) -> dict[str, Any]:
    """{"inputs", "outputs": [{"name", "type", "shape", and of outputs "seen": the shape for one token}], "operators", "weights": bytes,
    "files": names of those beside it that hold weights}.

    lengths: also "limit", the tokens of the longest text that it reads; LONGEST at most. UserError, one sentence, for whatever is wrong.
    """
    path = Path(path)
    try:
        seen = path.stat()
        if not path.is_file() or not seen.st_size:
            raise OSError(0, tr("it is no file, or an empty one"))
    except OSError as error:
        raise UserError(tr("{path} cannot be read: {reason}.", path=path, reason=system_words(error)), tr("Choose another file.")) from error
    found = _look(str(path.resolve()), seen.st_mtime_ns, seen.st_size, lengths)
    if "refused" in found:
        raise UserError(tr("{name} cannot be opened: {reason}.", name=path.name, reason=found["refused"]),
                        tr("Export the model again, or choose another file."), where="path")
    return found


@lru_cache(maxsize=64)
def _look(path: str, _changed: int, size: int, lengths: bool) -> dict[str, Any]:
    seconds = PROBE_SECONDS + PROBE_EXTRA_SECONDS * size / 1e9 + 2 * TRIED_SECONDS * lengths
    command = [sys.executable, "-m", "core.exchange.onnx.session", path, *(["lengths"] if lengths else [])]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL,
                              creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))
    except subprocess.TimeoutExpired:
        return {"refused": tr("it gave no answer within {seconds:.0f} s", seconds=seconds)}
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    if done.returncode or not lines:
        return {"refused": tr("ONNX Runtime cannot read it")}
    return json.loads(lines[-1])


def open_session(path: Path, *, outputs: Sequence[str] = (), threads: int = 0, cuda: bool = False) -> Any:
    """An onnxruntime.InferenceSession. outputs: those that are wanted, all if empty; nothing else is then computed.

    threads: 0 is what ONNX Runtime takes by itself. UserError where it cannot be opened.
    """
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    providers = [CUDA, CPU] if cuda else [CPU]
    if cuda:
        onnxruntime.preload_dlls()
    source: str | bytes = str(path)
    try:
        if outputs:
            model = onnx.load(str(path), load_external_data=False)
            if not _external(model):
                _keep(model.graph, set(outputs))
                source = model.SerializeToString()
        return onnxruntime.InferenceSession(source, options, providers=providers)
    except Exception as error:  # ONNX Runtime and protobuf have a dozen kinds
        raise UserError(tr("{name} cannot be opened: {reason}.", name=Path(path).name, reason=_first_line(error)),
                        tr("Export the model again, or choose another file."), where="path") from error


def head_session(path: Path, output: str) -> Any:
    """From the last hidden state, its one input, to the logits of that name. UserError where the graph holds no such part."""
    import onnx
    import onnxruntime

    model = onnx.load(str(path))
    graph = model.graph
    places = _last_states(graph)
    _keep(graph, {output}, stop=places)
    made = {name for node in graph.node for name in node.output} | {tensor.name for tensor in graph.initializer}
    free = {name for node in graph.node for name in node.input if name and name not in made}
    size = next((value.type.tensor_type.shape.dim[-1].dim_value for value in graph.output if value.name == output), 0)
    if len(free) != 1 or not size:
        raise UserError(tr("{name} gives no probabilities of tokens.", name=Path(path).name), tr("Choose another run."))
    del graph.input[:]
    graph.input.append(onnx.helper.make_tensor_value_info(free.pop(), onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=[CPU])


def _last_states(graph: Any) -> set[str]:
    """The names under which the graph knows its last hidden state, and each half of it."""
    layers = [value.name for value in graph.output if value.name.startswith("hidden_states.")]
    names = {"last_hidden_state", max(layers, key=lambda name: int(name.rpartition(".")[2]), default="last_hidden_state")}
    grew = True
    while grew:
        before = len(names)
        for node in graph.node:
            if node.op_type in ("Identity", "Cast") and names & {*node.input, *node.output}:
                names |= {*node.input, *node.output}
            if node.op_type == "Split" and names & set(node.input):
                names |= set(node.output)
        grew = len(names) > before
    return names


def looked_up(path: Path) -> Any:
    """The table (vocabulary, size) of which the graph takes the rows of input_ids; None where it is none that can be read."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path))
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    node = next((node for node in model.graph.node if node.op_type == "Gather" and node.input[1] == "input_ids"), None)
    source = {name: other for other in model.graph.node for name in other.output}
    if node is None:
        return None
    name = node.input[0]
    if name in source and source[name].op_type == "Cast":  # stored in fp16
        name = source[name].input[0]
    if name not in stored:
        return None
    table = numpy_helper.to_array(stored[name])
    after = next((other for other in model.graph.node if other.op_type == "DequantizeLinear" and node.output[0] in other.input), None)
    if after is None:
        return table if table.dtype.kind == "f" else None
    scale, zero = (numpy_helper.to_array(stored[item]).astype("float32") for item in after.input[1:3])
    return (table.astype("float32") - zero) * scale


def _keep(graph: Any, wanted: set[str], stop: frozenset[str] | set[str] = frozenset()) -> None:
    """Leave out all that the wanted outputs do not need; what makes those of `stop` is not needed."""
    outputs = [value for value in graph.output if value.name in wanted]
    del graph.output[:]
    graph.output.extend(outputs)
    needed, kept = set(wanted), []
    for node in reversed(graph.node):
        if needed & set(node.output) - stop:
            kept.append(node)
            needed |= set(node.input)
    stored = [tensor for tensor in graph.initializer if tensor.name in needed]
    inputs = [value for value in graph.input if value.name in needed]
    del graph.input[:]
    graph.input.extend(inputs)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    del graph.initializer[:]
    graph.initializer.extend(stored)


def _external(model: Any) -> list[Any]:
    return [tensor for tensor in model.graph.initializer if tensor.external_data]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


# in the process of its own

def _check(path: Path, lengths: bool) -> dict[str, Any]:
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception:
        return {"refused": tr("it is no ONNX model, or it is damaged")}
    weights, files = path.stat().st_size, set()
    for tensor in _all_tensors(model.graph):
        fields = {item.key: item.value for item in tensor.external_data}
        if not fields:
            continue
        location = fields.get("location", "")
        data = path.parent / location
        if not location or Path(location).name != location or data.is_symlink() or data.resolve().parent != path.resolve().parent:
            return {"refused": tr("its weights are said to lie outside its folder")}
        if not data.is_file():
            return {"refused": tr("the file with its weights, {name}, is missing", name=location)}
        if not 0 <= int(fields.get("offset", 0)) + int(fields.get("length", 0)) <= data.stat().st_size:
            return {"refused": tr("the file with its weights, {name}, is too short", name=location)}
        weights += int(fields.get("length", 0))
        files.add(location)
    for node in _all_nodes(model.graph):
        if node.op_type in NO_ENCODER or node.domain not in DOMAINS:
            return {"refused": tr("its operator {name} is none that an encoder needs", name=f"{node.domain}:{node.op_type}".removeprefix(":"))}
    if model.functions:
        return {"refused": tr("its operator {name} is none that an encoder needs", name=model.functions[0].name)}
    try:
        onnx.checker.check_model(str(path))
        session = open_session(path, threads=1)
        given = {item.name: item for item in session.get_inputs()}
        answers = session.run(None, {name: _smallest(item) for name, item in given.items()})
    except Exception as error:
        return {"refused": _first_line(error)}
    defaults = {item.name for item in session.get_overridable_initializers()}
    return {"inputs": [_described(item) for item in session.get_inputs() if item.name not in defaults],
            "outputs": [_described(item) | {"seen": list(getattr(answer, "shape", ()))}
                        for item, answer in zip(session.get_outputs(), answers, strict=True)],
            "defaults": sorted(defaults),
            "operators": sorted({node.op_type for node in model.graph.node}), "weights": weights, "files": sorted(files),
            **({"limit": _longest(session)} if lengths else {})}


def _described(item: Any) -> dict[str, Any]:
    return {"name": item.name, "type": item.type, "shape": list(item.shape)}


def _smallest(item: Any) -> Any:
    """One token; nothing before it."""
    import numpy as np

    shape = [axis if isinstance(axis, int) else FEWEST.get(axis, 1) for axis in item.shape]
    if item.type not in FLOATS or sum(axis > 1 for axis in shape) > 3 or int(np.prod(shape)) > 1 << 20:
        raise ValueError(tr("its input {name} is of no kind that an encoder has", name=item.name))
    return np.full(shape, item.name != UNITS, dtype=FLOATS[item.type])


def _longest(session: Any) -> int:
    """The tokens of the longest text that it answers: twice as many until it fails, then what lies between."""
    import numpy as np

    values = {"input_ids": TRIED_TOKEN, "attention_mask": 1}
    low, high, end = 1, LONGEST + 1, monotonic() + TRIED_SECONDS
    while high - low > 1 and monotonic() < end:
        length = 2 * low if 2 * low < high else (low + high) // 2
        try:
            session.run([session.get_outputs()[0].name], {item.name: np.full((1, length), values.get(item.name, 0), FLOATS[item.type])
                                                          for item in session.get_inputs()})
            low = length
        except Exception:  # ONNX Runtime has a dozen kinds
            high = length
    return low


def _all_tensors(graph: Any) -> list[Any]:
    found = list(graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            found += [attribute.t] if attribute.HasField("t") else []
            found += _all_tensors(attribute.g) if attribute.HasField("g") else []
    return found


def _all_nodes(graph: Any) -> list[Any]:
    found = list(graph.node)
    for node in graph.node:
        for attribute in node.attribute:
            found += _all_nodes(attribute.g) if attribute.HasField("g") else []
    return found


def _limit_memory(path: Path) -> None:
    """A small file can ask for any amount of memory."""
    try:
        import resource
    except ImportError:  # Windows: the clock alone
        return
    size = sum(item.stat().st_size for item in path.parent.iterdir() if item.is_file() and item.name.startswith(path.name))
    resource.setrlimit(resource.RLIMIT_AS, (LEAST_MEMORY + MOST_MEMORY * size,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: list[str]) -> int:
    path = Path(arguments[0])
    _limit_memory(path)
    target = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not stand in the answer
    try:
        found = _check(path, "lengths" in arguments[1:])
    except Exception:  # what a damaged file holds fits nowhere
        found = {"refused": tr("it is no ONNX model, or it is damaged")}
    target.write(json.dumps(found))
    target.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
