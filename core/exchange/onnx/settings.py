"""The figures of an ONNX export that both its process and whoever starts it know, and its options. Imports neither torch nor onnx."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import config

OPSET = 20  # at 23 and later, ONNX Runtime's Attention refuses some masks on a CPU
PRECISIONS = ("fp32", "fp16", "int8")
TOLERANCE = {"fp32": 1e-5, "fp16": 1e-2, "int8": 0.1}  # the greatest relative error in any output at any shape; see docs/onnx.md
AGREEMENT = {"fp32": 0.995, "fp16": 0.98, "int8": 0.9}  # the least share of all places where the likeliest token or label is torch's
EXTERNAL_ABOVE = 1_500_000_000  # bytes of weights; a protobuf file ends at 2 GB
EXTERNAL_SUFFIX = ".data"
WRITES_ON = "core.families.gpt.model:Gpt"  # the model (Family.model) whose keys and values decoder.onnx takes and gives
LEAST_SHAPES = 8


@dataclass(frozen=True, kw_only=True)
class OnnxConfig:
    """What may be said of an export to ONNX."""

    precision: str = config.option(PRECISIONS[0], "Number format of the weights.", choices=PRECISIONS)
    step: int = config.option(0, "Step of the checkpoint; 0 means the newest.", min=0)
    tolerance: float = config.option(TOLERANCE["fp32"], "The greatest relative error; without it that of the precision.", min=0)
    agreement: float = config.option(AGREEMENT["fp32"], "The least share of answers that are torch's; without it that of the precision.",
                                     min=0, max=1)
    shapes: int = config.option(LEAST_SHAPES, "Shapes at which it is compared with torch.", min=LEAST_SHAPES, max=10_000)
    threads: int = config.option(0, "Processor threads of the measurement; 0 means all.", min=0, max=1024)
    measure: bool = config.option(True, "Measure how fast it is.")
    external_above: int = config.option(EXTERNAL_ABOVE, "Bytes of weights that go into a file of their own.", min=0)

    def __post_init__(self) -> None:
        config.check(self)


def read_options(options: Mapping[str, Any]) -> OnnxConfig:
    """Text values as the command line gives them are read. UserError for one that cannot be."""
    hints = config.field_types(OnnxConfig)
    given = {name: config.parse(name, value, hints[name]) for name, value in options.items() if value not in (None, "")}
    precision = given.get("precision", PRECISIONS[0])
    usual = {"tolerance": TOLERANCE[precision], "agreement": AGREEMENT[precision]} if precision in PRECISIONS else {}
    return OnnxConfig(**{**usual, **given})
