"""A graph becomes an ONNX file: exported, its axes free, optimised, checked, in the number format that was asked for.

Each export wants a process of its own (core/exchange/onnx/worker.py): a second LSTM in one process gets the first one's length,
and says nothing. The shapes that the exporter notes are therefore thrown away and inferred anew from the operators alone.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import torch
from onnx import helper, numpy_helper

from core.errors import UserError
from core.exchange.onnx.graph import MOST_TOKENS, Graph
from core.exchange.onnx.settings import EXTERNAL_ABOVE, EXTERNAL_SUFFIX, OPSET
from core.i18n import tr

ANY_SIZE = 1 << 40
KEPT_IN_FP32 = ("LayerNormalization",)  # its sums of squares leave fp16's range
_EXAMPLE = {"batch": 2, "tokens": 5, "past": 3, "parts": 4, "units": 7}
_OTHER = {"batch": 3, "tokens": 7, "past": 4, "parts": 6, "units": 9}  # no axis, nor the sum of two, is as long as another


def convert(graph: Graph, path: Path, precision: str, metadata: dict[str, str], external_above: int = EXTERNAL_ABOVE) -> None:
    """Write the graph to `path` (beside it the weights, where they are large). UserError where an axis was frozen."""
    model = _exported(graph)
    _free(model, graph)
    model = _in_precision(_optimised(model), precision, path)
    _free(model, graph)
    _set_defaults(model, graph)
    model.producer_name, model.doc_string = "Lexiscope", ""
    helper.set_model_props(model, metadata)
    large = sum(len(tensor.raw_data) for tensor in model.graph.initializer) > external_above
    onnx.save(model, str(path), save_as_external_data=large, location=path.name + EXTERNAL_SUFFIX, size_threshold=1024)
    onnx.checker.check_model(str(path), full_check=not large)


def operators(path: Path) -> dict[str, Any]:
    """{"opset", "ir_version", "operators": {name: how often}, "only_onnxruntime": names of those that no standard describes}."""
    model = onnx.load(str(path), load_external_data=False)
    counted = Counter((node.domain, node.op_type) for node in _nodes(model.graph))
    return {"opset": next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), "ir_version": model.ir_version,
            "operators": {name: count for (_, name), count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))},
            "only_onnxruntime": sorted({name for (domain, name) in counted if domain not in ("", "ai.onnx")})}


def _nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Those of the graph and of the graphs within its nodes."""
    found = []
    for node in graph.node:
        found.append(node)
        for attribute in node.attribute:
            found += _nodes(attribute.g) if attribute.HasField("g") else []
    return found


def _exported(graph: Graph) -> onnx.ModelProto:
    import logging

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    made = graph.example(_EXAMPLE, 0)
    dims = {axis: torch.export.Dim.DYNAMIC if axis == "past" else torch.export.Dim(axis, min=1, max=graph.limits.get(axis, MOST_TOKENS))
            for axis in graph.free_axes}
    shapes = [{place: dims[axis] for place, axis in enumerate(axes) if isinstance(axis, str)} for axes in graph.inputs.values()]
    named = graph.portable.forward.__code__.co_argcount - 1  # of its parameters; the rest are given as one tuple
    free = (*shapes[:named], tuple(shapes[named:])) if named < len(shapes) else tuple(shapes)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(graph.portable.eval(), tuple(made.values()), dynamo=True, opset_version=OPSET, dynamic_shapes=free,
                                    input_names=list(graph.inputs), output_names=list(graph.outputs), optimize=False, verbose=False)
    model = program.model_proto
    for value, name in zip(model.graph.output, graph.outputs, strict=True):
        if value.name != name:  # a tensor that is given twice
            model.graph.node.append(helper.make_node("Identity", [value.name], [name]))
            value.name = name
    return model


def _free(model: onnx.ModelProto, graph: Graph) -> None:
    """Name the axes of inputs and outputs, and see that no operator has frozen one that must be free."""
    del model.graph.value_info[:]
    for value in model.graph.input:
        _set_axes(value, graph.inputs[value.name])
    wanted = output_axes(graph)
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    for found, value in zip(inferred.graph.output, model.graph.output, strict=True):
        axes = wanted[value.name]
        dims = found.type.tensor_type.shape.dim if found.type.tensor_type.HasField("shape") else ()
        for axis, dim in zip(axes, dims, strict=bool(dims)):
            if isinstance(axis, str) and dim.HasField("dim_value"):
                raise UserError(tr("The export is refused: its axis '{axis}' of {output} is frozen to {length}.", axis=axis, output=value.name,
                                   length=dim.dim_value), tr("Export it again; each export needs a process of its own."), where=value.name)
        _set_axes(value, axes)


def output_axes(graph: Graph) -> dict[str, tuple[str | int, ...]]:
    """The axes of every output: a number where its length is always the same, else the name of the axis that it follows."""
    names = graph.free_axes
    found = []
    for lengths in (_EXAMPLE, _OTHER):
        with torch.no_grad():
            found.append([tensor.shape for tensor in graph.reference(*graph.example(lengths, 1).values())])
    pairs = {(_EXAMPLE[name], _OTHER[name]): name for name in names}
    sums = {(_EXAMPLE[a] + _EXAMPLE[b], _OTHER[a] + _OTHER[b]): f"{a} + {b}" for a in names for b in names if a < b}
    return {output: tuple((sums | pairs).get(pair, pair[0]) for pair in zip(first, second, strict=True))
            for output, first, second in zip(graph.outputs, *found, strict=True)}


def _set_axes(value: onnx.ValueInfoProto, axes: tuple[str | int, ...]) -> None:
    shape = value.type.tensor_type.shape
    shape.Clear()
    for axis in axes:
        shape.dim.add(**({"dim_param": axis} if isinstance(axis, str) else {"dim_value": axis}))


def _set_defaults(model: onnx.ModelProto, graph: Graph) -> None:
    """An input with an initialiser of the same name may be left out."""
    for name, value in graph.defaults.items():
        model.graph.initializer.append(numpy_helper.from_array(value.numpy(), name))


def _optimised(model: onnx.ModelProto) -> onnx.ModelProto:
    """Everything that is the same for all inputs computed once, repetitions and dead ends removed; standard operators only."""
    from onnxscript import optimizer

    def fold(node: ir.Node) -> bool | None:
        shared = node.op_type == "Transpose" and len(node.inputs[0].uses()) > 1
        return False if shared else None  # token embeddings that are the output matrix too need not be stored twice

    held = ir.from_proto(model)
    optimizer.optimize_ir(held, onnx_shape_inference=True, input_size_limit=ANY_SIZE, output_size_limit=ANY_SIZE, should_fold=fold)
    return ir.to_proto(held)


def _in_precision(model: onnx.ModelProto, precision: str, path: Path) -> onnx.ModelProto:
    if precision == "fp16":
        if any(node.op_type == "LSTM" for node in model.graph.node):
            return _stored_in_fp16(model)
        from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

        held = ir.from_proto(convert_float_to_float16(model, keep_io_types=True, op_block_list=[*DEFAULT_OP_BLOCK_LIST, *KEPT_IN_FP32]))
        held.graph.sort()  # the casts stand at the end
        return ir.to_proto(held)
    if precision == "int8":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        temporary = path.with_name(path.name + ".int8")
        del model.graph.value_info[:]  # it turns the matrix of a Gemm round and would meet the old shape again
        # reduce_range: weights of 7 bits. A processor without VNNI adds two products of 8 x 8 bits in 16 and cuts off what does not fit,
        # and who opens the file may have one
        quantize_dynamic(_transposed_once(model), temporary, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        made = onnx.load(str(temporary))
        temporary.unlink()
        return made
    return model


def _stored_in_fp16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights in fp16, arithmetic in fp32. So with LSTMs: ONNX Runtime computes them in fp32 on a CPU in any case, and a graph of both
    kinds ends its process while it is loaded (1.31, FuseInitializersTransformer)."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}.fp16"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    return model


def _transposed_once(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights that the graph transposes each time, as those that are tied to the embeddings, are stored transposed: only stored
    weights are quantised."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in list(model.graph.node):
        if node.op_type == "Transpose" and node.input[0] in stored:
            array = numpy_helper.to_array(stored[node.input[0]])
            order = next((list(attribute.ints) for attribute in node.attribute if attribute.name == "perm"), None)
            model.graph.initializer.append(numpy_helper.from_array(array.transpose(order).copy(), node.output[0]))
            model.graph.node.remove(node)
    return model
