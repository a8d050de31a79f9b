"""How BERT learns: guess masked tokens, and whether the second sentence follows the first (Devlin et al. 2019, section 3.1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.config import RunConfig
from core.families.batches import PackedText, RowOrder, batch_generator, require_text
from core.families.bert.config import TEXT, BertConfig, BertObjective
from core.families.bert.model import Bert
from core.families.first_attention import begin
from core.families.learning import IGNORED, Batch, Loss
from core.families.linear import Linear
from core.families.transformer import ACTIVATIONS, initialise
from core.families.vocabulary_loss import vocabulary_loss
from core.text.tokenizers import CLS, MASK, PAD, SEP, SPECIALS

if TYPE_CHECKING:
    from core.text.corpus import Corpus, Split

OFFSETS = (-1, 1, -2, 2)  # of the tokens that the heads may begin by looking at
IS_NEXT, NOT_NEXT = 0, 1  # next_sentence_label, as in the authors' code


class BertForPretraining(nn.Module):
    """The encoder with its two heads (appendix A.1 and the authors' code): masked tokens and the next sentence."""

    def __init__(self, config: BertConfig, vocab_size: int) -> None:
        super().__init__()
        self.encoder = Bert(config, vocab_size)
        self.mlm_dense = Linear(config.hidden_size, config.hidden_size)
        self.mlm_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlm_output = None if config.tied else nn.Linear(config.hidden_size, vocab_size, bias=False)
        self.mlm_bias = nn.Parameter(torch.zeros(vocab_size))
        self.next_sentence = nn.Linear(config.hidden_size, 2)
        self.activation = ACTIVATIONS[config.activation]
        for part in (self.mlm_dense, self.mlm_output, self.next_sentence):
            if part is not None:
                initialise(part)

    def transform(self, hidden: Tensor) -> Tensor:
        """LN(gelu(W h + b)), (..., hidden_size): what is compared with the output matrix."""
        return self.mlm_norm(self.activation(self.mlm_dense(hidden)))

    def token_logits(self, hidden: Tensor) -> Tensor:
        """(..., hidden_size), a last_hidden_state -> (..., vocab_size): the scores of what stands at each place."""
        return F.linear(self.transform(hidden), self.output_matrix, self.mlm_bias)

    @property
    def output_matrix(self) -> Tensor:
        """(vocab_size, hidden_size): the token embeddings, unless the model has a matrix of its own for it."""
        return self.encoder.token_embedding.weight if self.mlm_output is None else self.mlm_output.weight


class BertPretraining:
    """Batches and loss of masked LM, with or without next sentences. See Pretraining in core/families/learning.py."""

    def __init__(self, config: RunConfig, corpus: Corpus) -> None:
        require_text(corpus.train, "train")
        self._objective: BertObjective = config.objective
        self._seed, self._vocab_size, batch_size = config.train.seed, corpus.tokenizer.vocab_size, config.train.batch_size
        self.network = self.build(config, self._vocab_size)
        begin(self.network.encoder, self._objective, corpus.train, self._seed, OFFSETS)
        self._splits = {"train": corpus.train, "valid": corpus.valid}
        kind = SentencePairs if self._objective.next_sentence else PackedRows
        self._texts = {name: kind(split, config.train.seq_len) for name, split in self._splits.items() if len(split.tokens)}
        self._orders = {name: RowOrder(self._seed, name, text.rows, batch_size) for name, text in self._texts.items()}
        self.tokens_per_batch = round(batch_size * self._texts["train"].mean_width)
        self.tokens_per_epoch = round(self._texts["train"].rows * self._texts["train"].mean_width)

    @staticmethod
    def build(config: RunConfig, vocab_size: int) -> BertForPretraining:
        """The network of such a run, as it is before the first step. What the objective does not reach stays as it is."""
        network = BertForPretraining(config.model, vocab_size)
        if not config.objective.next_sentence:
            network.encoder.pooler.requires_grad_(False)
            network.next_sentence.requires_grad_(False)
        return network

    def batch(self, split: str, index: int) -> Batch:
        """input_ids, labels (batch, tokens); with next sentences also token_type_ids, next_sentence_label (batch) and its
        normalizer; attention_mask only where a row is padded; normalizer: the tokens to guess."""
        require_text(self._splits[split], split)
        text, rng = self._texts[split], batch_generator(self._seed, split, index)
        rows, shift = self._orders[split].of_batch(index)
        arrays, source = text.read(rows, shift, rng)
        arrays["input_ids"], arrays["labels"] = mask_tokens(arrays["input_ids"], source, text.word_starts, self._objective,
                                                            self._vocab_size, rng)
        batch = {name: torch.from_numpy(array) for name, array in arrays.items()}
        batch["normalizer"] = torch.tensor(float(np.count_nonzero(arrays["labels"] != IGNORED)))
        if self._objective.next_sentence:
            batch["next_sentence_normalizer"] = torch.tensor(float(len(rows)))
        return batch

    def loss(self, network: nn.Module, batch: Batch) -> Loss:
        places = places_to_guess(batch["labels"])  # the rest needs neither last layer nor head nor vocabulary
        output = network.encoder(batch["input_ids"], batch.get("attention_mask"), batch.get("token_type_ids"), places=places)
        labels = batch["labels"].gather(1, places).flatten()
        chosen = (labels != IGNORED).nonzero().squeeze(1)  # (labels)
        hidden = network.transform(output.last_hidden_state.flatten(0, 1)[chosen])  # (labels, hidden_size)
        nll, correct = vocabulary_loss(hidden, network.output_matrix, network.mlm_bias, labels[chosen])
        value, count = nll / batch["normalizer"], len(chosen)
        sums = {"mlm_accuracy": (correct, count)}
        if "next_sentence_label" in batch:
            logits = network.next_sentence(output.pooler_output).float()  # (batch, 2)
            truth = batch["next_sentence_label"]  # (batch)
            nsp = F.cross_entropy(logits, truth, reduction="sum")
            value = value + nsp / batch["next_sentence_normalizer"]
            sums["mlm_loss"] = (nll.detach(), count)
            sums["nsp_loss"] = (nsp.detach(), len(truth))
            sums["nsp_accuracy"] = ((logits.argmax(1) == truth).sum(), len(truth))
        sums["loss"] = (value.detach() * batch["normalizer"], count)  # so that micro-batches add up to the whole batch's value
        return Loss(value=value, sums=sums)


def places_to_guess(labels: Tensor) -> Tensor:
    """(batch, tokens) labels -> (batch, places): [CLS], then where the row has a label, then, in rows with fewer, others to fill up."""
    has_label = labels != IGNORED
    places = has_label.int().argsort(dim=1, descending=True, stable=True)[:, :int(has_label.sum(dim=1).max())]
    return torch.cat([places.new_zeros(len(labels), 1), places], dim=1)


class PackedRows:
    """Rows [CLS] text [SEP], the text a window into all documents in a row with [SEP] between them: always full."""

    def __init__(self, split: Split, seq_len: int) -> None:
        self._text = PackedText(split, (), (SEP,))
        self._width = min(seq_len - 2, self._text.length)
        self.word_starts = self._text.word_starts
        self.rows, self.mean_width = math.ceil(self._text.length / self._width), self._width + 2

    def read(self, rows: np.ndarray, shift: np.ndarray, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """{"input_ids": (batch, tokens)} and the tokens' offsets in the text, -1 for special tokens."""
        text, offsets = self._text.window(rows * self._width + shift % self._text.length, self._width)
        ids, source = (np.pad(array, ((0, 0), (1, 1)), constant_values=-1) for array in (text, offsets))
        ids[:, 0], ids[:, -1] = CLS, SEP
        return {"input_ids": ids}, source


class SentencePairs:
    """Rows [CLS] A [SEP] B [SEP]. A is the beginning of a stretch of one document; B, for half of the rows, its end, for the
    others a stretch of another document. A stretch begins with a sentence and is as long as fits into the row.

    A and B meet at a sentence's beginning, or, in a stretch without one, somewhere. Where there is but one document, the
    other half has A and B changed places.
    """

    def __init__(self, split: Split, seq_len: int) -> None:
        self._tokens, self.word_starts = np.asarray(split.tokens), np.asarray(split.word_starts)
        self._sentences = np.asarray(split.sentences)
        starts = self._sentences[np.asarray(split.documents)]  # (documents + 1) offsets into tokens
        begin, end = starts[:-1], starts[1:]
        enough = end - begin >= 2  # one token for A, one for B
        enough = enough if enough.any() else end > begin
        self._begin, self._end = begin[enough], end[enough]  # (documents)
        self._room = max(2, seq_len - 3)
        lengths = self._end - self._begin
        stretches = -(-lengths // self._room)  # (documents), rounded up
        self._first = np.concatenate([[0], np.cumsum(stretches)])  # (documents + 1): the number of a document's first stretch
        self.rows = int(self._first[-1])
        self.mean_width = float(np.minimum(lengths, self._room) @ stretches / self.rows) + 3

    def read(self, rows: np.ndarray, shift: np.ndarray, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """input_ids, token_type_ids (batch, tokens), next_sentence_label (batch), attention_mask if padded; offsets as above."""
        document, start, end = self._stretch(rows, rng)
        a, b, stop = start, self._middle(start, end, rng), end  # A is [a, b), its true B is [b, stop)
        label = (rng.random(len(rows)) < 0.5).astype(np.int64)  # NOT_NEXT for half of the rows
        label[b == stop] = NOT_NEXT
        length_a, length_b = b - a, stop - b
        other = label == NOT_NEXT
        if len(self._begin) > 1:
            own = self._first[document + 1] - self._first[document]  # stretches of the own document: jumped over
            drawn = (rng.random(len(rows)) * (self.rows - own)).astype(np.int64)
            drawn += np.where(drawn >= self._first[document], own, 0)
            _, start, end = self._stretch(drawn, rng)
            b = np.where(other, start, b)
            length_b = np.where(other, np.minimum(end - start, self._room - length_a), length_b)
        else:
            a, b = np.where(other, b, a), np.where(other, a, b)
            length_a, length_b = np.where(other, length_b, length_a), np.where(other, length_a, length_b)
        return self._assemble(a, length_a, b, length_b, label)

    def _stretch(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The stretch of each row: its document and its [start, end) in the text.

        Stretches stand a row's length apart; each is moved back by a random length (so no token is always cut off), then on
        to the next beginning of a sentence, unless that is far away.
        """
        document = np.searchsorted(self._first, rows, side="right") - 1
        begin, last = self._begin[document], self._end[document] - self._room
        start = begin + (rows - self._first[document]) * self._room
        start = np.maximum(np.minimum(start - rng.integers(0, self._room, len(rows)), last), begin)
        sentence = self._sentences[np.searchsorted(self._sentences, start, side="left")]
        sentence = np.where(sentence - start <= self._room // 2, sentence, start)
        start = np.maximum(np.minimum(sentence, self._end[document] - 2), begin)  # two tokens at least, where there are two
        return document, start, np.minimum(start + self._room, self._end[document])

    def _middle(self, start: np.ndarray, end: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A sentence's beginning inside [start, end), drawn at random; else any place inside; end where there is none."""
        first = np.searchsorted(self._sentences, start, side="right")
        count = np.searchsorted(self._sentences, end, side="left") - first
        drawn = rng.random(len(start))
        inside = self._sentences[np.minimum(first + (drawn * count).astype(np.int64), len(self._sentences) - 1)]
        return np.where(count > 0, inside, start + 1 + (drawn * (end - start - 1)).astype(np.int64))

    def _assemble(self, a: np.ndarray, length_a: np.ndarray, b: np.ndarray, length_b: np.ndarray,
                  label: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        first_sep, last_sep = length_a + 1, length_a + length_b + 2  # (batch) columns
        column = np.arange(int(last_sep.max()) + 1)  # (tokens)
        before_b, real = column <= first_sep[:, None], column <= last_sep[:, None]  # (batch, tokens)
        source = np.where(before_b, (a - 1)[:, None], (b - length_a - 2)[:, None]) + column
        special = ~real | (column == 0) | (column == first_sep[:, None]) | (column == last_sep[:, None])
        source[special] = -1
        ids = self._tokens[np.maximum(source, 0)].astype(np.int64)
        ids[special] = SEP
        ids[:, 0] = CLS
        ids[~real] = PAD
        arrays = {"input_ids": ids, "token_type_ids": (real & ~before_b).astype(np.int64), "next_sentence_label": label}
        if not real.all():
            arrays["attention_mask"] = real.astype(np.int64)
        return arrays, source


def mask_tokens(ids: np.ndarray, source: np.ndarray, word_starts: np.ndarray, objective: BertObjective, vocab_size: int,
                rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Choose the tokens to guess and hide them (section 3.1, task 1).

    ids, source: (batch, tokens); source -1 is a special token, never chosen. Returns input_ids with the chosen tokens replaced
    ([MASK], a random token, or left as they are), and labels: the true token where one was chosen, else -100.
    In every row mask_percent of the tokens are chosen, on average exactly and one at least; of whole words, all tokens.
    Random tokens of the text are drawn from this batch.
    """
    text = source >= 0
    draw = rng.random(ids.shape, dtype=np.float32)
    if objective.whole_word:  # all tokens of a word share one draw
        begins = word_starts[np.maximum(source, 0)].astype(bool) | ~text
        begins[:, 1:] |= ~text[:, :-1]
        draw = np.take_along_axis(draw, np.cumsum(begins, axis=1) - 1, axis=1)
    draw[~text] = 2.0  # beyond every draw
    number = text.sum(axis=1) * (objective.mask_percent / 100)
    number = np.maximum(np.floor(number + rng.random(len(ids))), 1).astype(np.int64)  # (batch)
    threshold = np.sort(draw, axis=1)[np.arange(len(ids)), number - 1][:, None]  # (batch, 1): the draw of the last one chosen
    below, upto = draw < threshold, draw <= threshold
    # A word that would exceed the number is taken with the probability that keeps the share right
    missing, offered = number - below.sum(axis=1), (upto & ~below).sum(axis=1)
    whole = (rng.random(len(ids)) * offered < missing) | ~below.any(axis=1)
    chosen = np.where(whole[:, None], upto, below) & text

    labels = np.where(chosen, ids, IGNORED)
    fate = rng.random(ids.shape, dtype=np.float32) * 100
    hidden = chosen & (fate < objective.mask_token_percent)
    swapped = chosen & ~hidden & (fate < objective.mask_token_percent + objective.random_token_percent)
    masked = np.where(hidden, MASK, ids)
    if objective.random_tokens == TEXT:
        masked[swapped] = rng.choice(ids[text], int(swapped.sum()))
    else:
        masked[swapped] = rng.integers(min(len(SPECIALS), vocab_size - 1), vocab_size, int(swapped.sum()))
    return masked, labels
