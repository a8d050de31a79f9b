"""What a GPT writes goes on where the prompt ends, whatever its tokens are."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from core.analysis import predict
from core.config import TextConfig
from core.registry import TOKENIZERS, family, lookup

TEXTS = ["the apple juice was sweet, and the apples were red.", "我爱吃苹果。"]


@pytest.mark.parametrize(("kind", "prompt", "rest", "written"), [
    ("wordpiece", "the apple", "juice was sweet, and", " juice was sweet, and"), ("wordpiece", "the apple ", "juice", "juice"),
    ("wordpiece", "", "the apple", "the apple"), ("wordpiece", "我爱", "吃苹果。", "吃苹果。"), ("wordpiece", "the apple", ", and", ", and"),
    ("word", "the apple", "juice was", " juice was"), ("char", "我爱", "吃苹果", "吃苹果"), ("bpe", "我爱", "吃苹果", "吃苹果")])
def test_what_is_written_goes_on_where_the_prompt_ends(monkeypatch: pytest.MonkeyPatch, kind: str, prompt: str, rest: str, written: str) -> None:
    tokenizer = lookup(TOKENIZERS, kind).train(TextConfig(tokenizer=kind, vocab_size=400, min_count=1), TEXTS)
    loaded = SimpleNamespace(family=family("gpt"), tokenizer=tokenizer, config=SimpleNamespace(model=SimpleNamespace(max_seq_len=64)),
                             encoder=SimpleNamespace(token_vectors=lambda: range(tokenizer.vocab_size)))
    tokens = [SimpleNamespace(token=token) for token in tokenizer.encode(rest).ids]
    monkeypatch.setattr(predict, "generate_tokens", lambda *_, **__: iter(tokens))
    assert "".join(predict.generate(loaded, prompt)) == written
