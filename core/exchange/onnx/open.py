"""An exported model in the place of a run's network: it is asked the same questions, and ONNX Runtime computes the answers.

Everything that reads a run (senses, neighbours, attention, prediction) takes it as it takes torch's network. What opens the network
itself up, as switching heads off does, cannot work with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.analysis.encode import Loaded
from core.errors import UserError
from core.exchange.onnx.folder import MODEL, require_intact
from core.exchange.onnx.session import head_session, look, open_session
from core.families.gpt.model import Cache
from core.families.outputs import Output
from core.i18n import tr
from core.registry import family
from core.runs import Run
from core.text.tokenizers import load_tokenizer

ROWS = "rows.json"  # of a model from elsewhere: for each of our ids, the one it knows
DECODER = "decoder.onnx"


def is_export(run: Run) -> bool:
    """Whether the run is the part of an export that opens it again."""
    return run.path.name == "run" and (run.path.parent / MODEL).is_file()


def load(run: Run) -> Loaded:
    """As core.analysis.encode.load. UserError for a damaged export."""
    folder = run.path.parent
    require_intact(folder, (MODEL, MODEL + ".data", DECODER, "run/tokenizer.json"))
    tokenizer, made = load_tokenizer(run.tokenizer_path), family(run.config.family)
    model = OnnxModel(folder, run, tokenizer.vocab_size)
    return Loaded(run=run, family=made, config=run.config, tokenizer=tokenizer, encoder=model, weights={}, network=model,
                  step=max(run.checkpoint_steps(), default=0))


class OnnxModel:
    """Called as every encoder is (core/families/outputs.py); also has what a language model's network has: encoder, token_logits.

    A session is made for each kind of question, so that nothing is computed that nobody wants.
    """

    training = False
    layers = ()  # that could be opened up

    def __init__(self, folder: Path, run: Run, vocab_size: int) -> None:
        self.path, self.decoder, self.config, self.vocab_size = folder / MODEL, folder / DECODER, run.config.model, vocab_size
        self.signature = look(self.path)
        self.outputs = [item["name"] for item in self.signature["outputs"]]
        self.inputs = {item["name"] for item in self.signature["inputs"]}
        if "input_ids" not in self.inputs or not {"last_hidden_state", "hidden_states.0"} & set(self.outputs):
            raise UserError(tr("{name} is no encoder: it needs the input input_ids and the output last_hidden_state.", name=self.path.name),
                            tr("Choose another file."), where="path")
        rows = run.path / ROWS
        self._rows = np.array(json.loads(rows.read_text(encoding="utf-8")), dtype=np.int64) if rows.is_file() else None
        self._sessions: dict[tuple[str, ...], Any] = {}

    encoder = property(lambda self: self)

    def eval(self) -> OnnxModel:
        return self

    def parameters(self) -> Iterator[Tensor]:
        """Those who ask want to know the device."""
        yield torch.zeros(1)

    def __call__(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None, *,
                 output_hidden_states: bool = False, output_attentions: bool = False, cache: Any = None) -> Output:
        if cache is not None:
            return self._go_on(input_ids, cache)
        wanted = [name for name in self.outputs if name in ("last_hidden_state", "pooler_output")]
        wanted += self._numbered("hidden_states.") if output_hidden_states or "last_hidden_state" not in wanted else []
        wanted += self._numbered("attentions.") if output_attentions else []
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        segments = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        found = self._run(self.path, wanted, {"input_ids": self._ids(input_ids), "attention_mask": mask.numpy(), "token_type_ids": segments.numpy()})
        states = tuple(found[name] for name in wanted if name.startswith("hidden_states."))
        last = found["last_hidden_state"] if "last_hidden_state" in found else states[-1]
        attentions = tuple(found[name] for name in wanted if name.startswith("attentions."))
        return Output(last_hidden_state=last, hidden_states=(states or (last,)) if output_hidden_states else None,
                      attentions=attentions or None, pooler_output=found.get("pooler_output"))

    def new_cache(self) -> Cache | None:
        """None: the export has no graph for writing on."""
        return Cache(self.config.num_layers) if self.decoder.is_file() else None

    def token_logits(self, hidden: Tensor) -> Tensor:
        """(..., hidden_size), a last_hidden_state (of one direction, for ELMo) -> (..., vocab_size)."""
        name, session = self._head
        given = hidden.reshape(1, -1, hidden.shape[-1]).numpy()
        return torch.from_numpy(session.run([name], {session.get_inputs()[0].name: given})[0]).reshape(*hidden.shape[:-1], -1)

    def token_vectors(self) -> Tensor:
        """Every token's vector before a context is read: the table that input_ids is looked up in, else what the first layer has for it alone."""
        from core.exchange.onnx.session import looked_up

        table = looked_up(self.path)
        if table is None:
            ids = torch.arange(self.vocab_size)[:, None]
            found = self(ids, output_hidden_states=True).hidden_states[0][:, 0]
            size = getattr(self.config, "hidden_size", found.shape[1])
            return found[:, :size]
        vectors = torch.from_numpy(table.astype(np.float32))
        return vectors if self._rows is None else vectors[torch.from_numpy(self._rows)]

    @cached_property
    def _head(self) -> tuple[str, Any]:
        name = next((name for name in ("logits", "forward_logits") if name in self.outputs), "")
        if not name:
            raise UserError(tr("{name} gives no probabilities of tokens.", name=self.path.name), tr("Choose another run."))
        return name, head_session(self.path, name)

    def _ids(self, input_ids: Tensor) -> np.ndarray:
        return input_ids.numpy() if self._rows is None else self._rows[input_ids.numpy()]

    def _numbered(self, prefix: str) -> list[str]:
        return sorted((name for name in self.outputs if name.startswith(prefix)), key=lambda name: int(name.removeprefix(prefix)))

    def _go_on(self, input_ids: Tensor, cache: Any) -> Output:
        """A GPT's next tokens, after those that the cache holds; see core.families.gpt.model.Cache."""
        heads = self.config.num_heads
        empty = torch.zeros(len(input_ids), heads, 0, self.config.hidden_size // heads)
        given: dict[str, np.ndarray] = {"input_ids": self._ids(input_ids)}
        for number, layer in enumerate(cache.layers):
            given[f"past.{number}.key"] = (empty if layer.keys is None else layer.keys).numpy()
            given[f"past.{number}.value"] = (empty if layer.values is None else layer.values).numpy()
        wanted = ["last_hidden_state", *(name.replace("past.", "present.") for name in given if name != "input_ids")]
        found = self._run(self.decoder, wanted, given)
        for number, layer in enumerate(cache.layers):
            layer.keys, layer.values = found[f"present.{number}.key"], found[f"present.{number}.value"]
        return Output(last_hidden_state=found["last_hidden_state"])

    def _run(self, path: Path, wanted: list[str], given: dict[str, np.ndarray]) -> dict[str, Tensor]:
        key = (path.name, *wanted)
        if key not in self._sessions:
            look(path)
            self._sessions[key] = open_session(path, outputs=wanted)
        session = self._sessions[key]
        inputs = {item.name for item in session.get_inputs()}
        try:
            found = session.run(wanted, {name: np.ascontiguousarray(array) for name, array in given.items() if name in inputs})
        except Exception as error:  # ONNX Runtime has a dozen kinds
            raise UserError(tr("{name} gave no answer: {reason}.", name=path.name, reason=str(error).splitlines()[0][:200]),
                            tr("Export the model again.")) from error
        return {name: torch.from_numpy(array) for name, array in zip(wanted, found, strict=True)}


class OnnxTask(nn.Module):
    """A finetuned export in the place of a TaskNetwork. head: torch's, for what it makes of its logits; it computes none."""

    def __init__(self, run: Run, head: nn.Module) -> None:
        super().__init__()
        self.head = head
        folder = run.path.parent
        require_intact(folder, (MODEL, MODEL + ".data", "run/tokenizer.json"))
        look(folder / MODEL)
        self._session = open_session(folder / MODEL, outputs=("logits",))
        self.register_buffer("place", torch.zeros(1))

    def parameters(self, recurse: bool = True) -> Iterator[Tensor]:
        yield self.place

    def forward(self, **inputs: Tensor) -> Tensor:
        known = {item.name for item in self._session.get_inputs()}
        given = {name: tensor.numpy() for name, tensor in inputs.items() if name in known}
        return torch.from_numpy(self._session.run(["logits"], given)[0])


def load_task_network(run: Run) -> nn.Module:
    """The network of an opened finetuned export."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from core.exchange.onnx.folder import HEAD
    from core.tasks.data import layout_of, read_labels
    from core.tasks.networks import TaskNetwork

    labels = read_labels(run)
    head = TaskNetwork(run.config, layout_of(run.config, labels, load_tokenizer(run.tokenizer_path)), labels).head
    try:
        head.load_state_dict(load_file(run.path / HEAD))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise UserError(tr("{name} in {folder} is damaged: its content does not fit its hash.", name=HEAD, folder=run.path.parent.name),
                        tr("Export the model again.")) from error
    return OnnxTask(run, head)
