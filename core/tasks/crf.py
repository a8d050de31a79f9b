"""A linear-chain conditional random field over tags (Lafferty et al. 2001; on top of a network as in Lample et al. 2016, section 2.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LinearChainCrf(nn.Module):
    """p(y | x) = exp(start[y_1] + sum_t score[t, y_t] + sum_t transition[y_t, y_t+1] + end[y_n]) / Z."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.start, self.end = nn.Parameter(torch.zeros(tags)), nn.Parameter(torch.zeros(tags))
        self.transition = nn.Parameter(torch.zeros(tags, tags))  # [from, to]

    def nll(self, scores: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """-log p of each row. scores: (batch, units, tags); tags: (batch, units); mask: (batch, units), true at the beginning of a row."""
        return self._partition(scores, mask) - self._score(scores, tags, mask)

    def _score(self, scores: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        real = mask.to(scores.dtype)
        unary = (scores.gather(2, tags.unsqueeze(2)).squeeze(2) * real).sum(1)
        steps = (self.transition[tags[:, :-1], tags[:, 1:]] * real[:, 1:]).sum(1)
        last = tags.gather(1, (mask.long().sum(1, keepdim=True) - 1).clamp(min=0)).squeeze(1)
        return self.start[tags[:, 0]] + unary + steps + self.end[last]

    def _partition(self, scores: Tensor, mask: Tensor) -> Tensor:
        alpha = self.start + scores[:, 0]  # (batch, tags)
        for step in range(1, scores.shape[1]):
            after = torch.logsumexp(alpha.unsqueeze(2) + self.transition, dim=1) + scores[:, step]
            alpha = torch.where(mask[:, step, None], after, alpha)
        return torch.logsumexp(alpha + self.end, dim=1)

    @torch.no_grad()
    def best(self, scores: Tensor, mask: Tensor) -> Tensor:
        """The likeliest tags (Viterbi), (batch, units); 0 where mask is false."""
        alpha = self.start + scores[:, 0]
        backward: list[Tensor] = []
        identity = torch.arange(scores.shape[2], device=scores.device).expand_as(alpha)
        for step in range(1, scores.shape[1]):
            after, source = (alpha.unsqueeze(2) + self.transition).max(dim=1)
            alive = mask[:, step, None]
            alpha = torch.where(alive, after + scores[:, step], alpha)
            backward.append(torch.where(alive, source, identity))
        tag = (alpha + self.end).argmax(dim=1)  # (batch)
        path = [tag]
        for source in reversed(backward):
            tag = source.gather(1, tag.unsqueeze(1)).squeeze(1)
            path.append(tag)
        return torch.stack(path[::-1], dim=1) * mask.long()
