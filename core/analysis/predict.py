"""What a language model says next, and what it would put in a gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from core.analysis.encode import Loaded, frame, padded
from core.errors import UserError
from core.families.generation import generate as generate_tokens
from core.i18n import tr
from core.registry import load as load_place
from core.text.tokenizers import EOS, MASK, SPECIALS


@dataclass(frozen=True, kw_only=True)
class Candidate:
    token: str
    probability: float


def generate(loaded: Loaded, prompt: str, *, max_new_tokens: int = 100, temperature: float = 0.8, top_k: int = 0, top_p: float = 1.0,
             seed: int = 0) -> Iterator[str]:
    """The continuation of `prompt`, piece by piece. UserError for a family that cannot, or a prompt as long as the model reads."""
    require(loaded, "generate", tr("Only a GPT run can go on writing."))
    ids = frame(loaded.family, loaded.tokenizer, prompt).ids
    limit = loaded.config.model.max_seq_len
    if len(ids) >= limit:
        raise UserError(tr("The prompt has {count} tokens; the model reads {limit}.", count=len(ids), limit=limit),
                        tr("Shorten the prompt."), where="prompt")
    generator = torch.Generator().manual_seed(seed)
    written = loaded.tokenizer.encode(prompt).ids
    said, after_space = loaded.tokenizer.decode(written), prompt[-1:].isspace()
    for item in generate_tokens(loaded.encoder, torch.tensor([ids]), max_new_tokens=min(max_new_tokens, limit - len(ids)),
                                temperature=temperature, top_k=top_k, top_p=top_p, generator=generator, stop_id=EOS,
                                banned_ids=range(loaded.tokenizer.vocab_size, len(loaded.encoder.token_vectors()))):
        written.append(item.token)
        # decoding all of it again: a character may be spread over several tokens, and what stands before decides about a space
        text = loaded.tokenizer.decode(written)
        if text.startswith(said):
            yield text[len(said):].lstrip() if after_space else text[len(said):]
            said, after_space = text, False


def fill(loaded: Loaded, text: str, k: int = 10) -> list[list[Candidate]]:
    """For every [MASK] of the text its k likeliest tokens. UserError for a family that cannot, or a text without [MASK]."""
    require(loaded, "fill_mask", tr("Only a BERT run can fill a gap."))
    if loaded.config.task is not None:
        raise UserError(tr("{name} was finetuned: its task's head has taken the place of the one that fills gaps.", name=loaded.run.name),
                        tr("Choose the pretrained run."))
    ids = frame(loaded.family, loaded.tokenizer, text, specials=True).ids
    places = [index for index, token in enumerate(ids) if token == MASK]
    if not places:
        raise UserError(tr("The text holds no [MASK]."), tr("Write [MASK] where a token is to be guessed."), where="text")
    if len(ids) > loaded.config.model.max_seq_len:
        raise UserError(tr("The text has {count} tokens; the model reads {limit}.", count=len(ids), limit=loaded.config.model.max_seq_len),
                        tr("Shorten the text."), where="text")
    network = loaded.network
    if network is None:
        network = load_place(loaded.family.pretrain).build(loaded.config, loaded.tokenizer.vocab_size)
        network.load_state_dict(loaded.weights)
        network.eval()
    with torch.no_grad():
        hidden = network.encoder(padded([ids])[0]).last_hidden_state[0, places]  # (gaps, hidden_size)
        logits = network.token_logits(hidden)  # (gaps, vocab_size)
        logits[:, : len(SPECIALS)] = -torch.inf
        values, tokens = torch.softmax(logits, dim=-1).topk(min(k, logits.shape[-1]))
    return [[Candidate(token=loaded.tokenizer.token(token), probability=value) for token, value in zip(row, row_values, strict=True)]
            for row, row_values in zip(tokens.tolist(), values.tolist(), strict=True)]


def require(loaded: Loaded, capability: str, why: str) -> None:
    if capability not in loaded.family.capabilities:
        raise UserError(tr("{name} is a {family} run. {why}", name=loaded.run.name, family=loaded.family.title, why=why), tr("Choose another run."))
