"""How a model that reads from left to right writes on: one token at a time, drawn from what it expects next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

COLDEST = 1e-6  # a temperature; divided by less, logits are no numbers any more


@dataclass(frozen=True, kw_only=True)
class Written:
    """One token that was written. probability: of the token. alternatives: (token, probability), the likeliest first.

    Both are of the distribution the token was drawn from: after temperature, top_k and top_p. At temperature 0, where
    nothing is drawn, they are the model's own.
    """

    token: int
    probability: float
    alternatives: tuple[tuple[int, float], ...]


def next_token_probabilities(logits: Tensor, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> Tensor:
    """(vocab_size) logits -> (vocab_size) float32 probabilities to draw from.

    softmax(logits / temperature), temperature above 0, cut to the top_k likeliest (0: all; Fan et al. 2018), then to the
    fewest that hold top_p of what is left (nucleus sampling, Holtzman et al. 2020, equation 2), and made to sum to 1 again.
    """
    probabilities = (logits.float() / temperature).softmax(dim=-1)
    ordered, tokens = probabilities.sort(descending=True, stable=True)  # likeliest first
    if top_k:
        ordered[top_k:] = 0.0
        ordered /= ordered.sum()
    before = ordered.cumsum(dim=-1) - ordered  # the mass of all likelier tokens
    ordered[1:][before[1:] >= top_p] = 0.0  # the likeliest always stays
    return torch.zeros_like(ordered).scatter_(0, tokens, ordered / ordered.sum())


@torch.no_grad()
def generate(model: nn.Module, input_ids: Tensor, *, max_new_tokens: int, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0,
             generator: torch.Generator | None = None, stop_id: int | None = None, banned_ids: Sequence[int] = (),
             num_alternatives: int = 10) -> Iterator[Written]:
    """Write on after input_ids, (tokens) or (1, tokens), one token at a time; the window may stop listening at any of them.

    model: of a family that can "generate" (core/families/outputs.py). temperature 0, or all but 0: always the likeliest token.
    generator: a CPU generator; the same seed writes the same text.
    stop_id ends the text and is not handed out. banned_ids are never written. Beyond max_seq_len, the model forgets all
    but the newest half of what it has read, and goes on.
    """
    device, limit = next(model.parameters()).device, model.config.max_seq_len
    history: list[int] = input_ids.reshape(-1).tolist()
    cache, unread = model.new_cache(), history[-limit:]
    for _ in range(max_new_tokens):
        if cache is None:
            unread = history[-limit:]
        elif len(cache) + len(unread) > limit:
            cache, unread = model.new_cache(), history[-(limit // 2):]
        remembered = {} if cache is None else {"cache": cache}
        hidden = model(torch.tensor([unread], device=device), **remembered).last_hidden_state  # (1, unread, hidden_size)
        logits = model.token_logits(hidden[0, -1]).float().cpu()  # (vocab_size)
        logits[list(banned_ids)] = -torch.inf
        if temperature < COLDEST:
            probabilities, token = next_token_probabilities(logits), int(logits.argmax())
        else:
            probabilities = next_token_probabilities(logits, temperature=temperature, top_k=top_k, top_p=top_p)
            token = int(torch.multinomial(probabilities, 1, generator=generator))
        if token == stop_id:
            return
        likeliest = probabilities.topk(min(num_alternatives, len(probabilities)))
        pairs = zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True)
        alternatives = tuple(pair for pair in pairs if pair[1] > 0)
        yield Written(token=token, probability=float(probabilities[token]), alternatives=alternatives)
        history.append(token)
        unread = [token]
