"""The figures of an ONNX export that both its process and whoever starts it know. Imports nothing."""

OPSET = 20  # at 23 and later, ONNX Runtime's Attention refuses some masks on a CPU
PRECISIONS = ("fp32", "fp16", "int8")
TOLERANCE = {"fp32": 1e-5, "fp16": 1e-2, "int8": 0.1}  # the greatest relative error in any output at any shape; see docs/onnx.md
AGREEMENT = {"fp32": 0.995, "fp16": 0.98, "int8": 0.9}  # the least share of all places where the likeliest token or label is torch's
EXTERNAL_ABOVE = 1_500_000_000  # bytes of weights; a protobuf file ends at 2 GB
EXTERNAL_SUFFIX = ".data"
