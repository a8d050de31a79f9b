"""What the window asks of the models while somebody types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core.analysis import predict_window as asked
from core.runs import Run
from core.train import worker
from tests.helpers.runs import make_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("runs")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEXISCOPE_HOME", str(folder / "home"))
        for name in ("bert", "gpt", "elmo"):
            made[name] = make_run(folder / name, name, steps=30)
            assert worker.work(made[name].path) == 0
    return made


def _answers(questions: list[tuple[str, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    asked.answer(questions, lambda: False, lambda place, answer: found.append((place, answer)))
    return found


def test_each_family_fills_a_gap_from_the_sides_that_it_sees(runs: dict[str, Run]) -> None:
    text = "妈妈买了一个[MASK]果。"
    sides = {name: [one["side"] for one in asked.fill(str(run.path), text)["lists"]] for name, run in runs.items()}
    assert sides == {"bert": ["both"], "gpt": ["left"], "elmo": ["left", "right"]}
    for run in runs.values():
        for one in asked.fill(str(run.path), text, most=5)["lists"]:
            shares = one["probabilities"]
            assert len(one["tokens"]) == 5 and 0 < sum(shares) <= 1 and shares == sorted(shares, reverse=True)


def test_before_a_gap_a_text_can_begin_but_not_end(runs: dict[str, Run]) -> None:
    left, right = (dict(zip(one["tokens"], one["probabilities"], strict=True))
                   for one in asked.fill(str(runs["elmo"].path), "[MASK]苹果", most=100_000)["lists"])
    assert left["end of the text"] > 0 and left["beginning of the text"] == 0
    assert right["beginning of the text"] > 0 and right["end of the text"] == 0


def test_what_stands_behind_the_gap_is_nothing_to_who_reads_from_the_left(runs: dict[str, Run]) -> None:
    one, other = "妈妈买了一个[MASK]果。", "妈妈买了一个[MASK]在苹果上班。"
    assert asked.fill(str(runs["gpt"].path), one)["lists"] == asked.fill(str(runs["gpt"].path), other)["lists"]
    first, second = (asked.fill(str(runs["elmo"].path), text)["lists"] for text in (one, other))
    assert first[0] == second[0] and first[1] != second[1]
    assert asked.fill(str(runs["bert"].path), one)["lists"] != asked.fill(str(runs["bert"].path), other)["lists"]


def test_the_gap_of_a_left_reader_is_its_next_token(runs: dict[str, Run]) -> None:
    for name in ("gpt", "elmo"):
        gap = asked.fill(str(runs[name].path), "小李[MASK]苹果")["lists"][0]
        assert asked.following(str(runs[name].path), "小李")["lists"][0] == gap


def test_elmos_next_token_is_what_its_own_loss_is_about(runs: dict[str, Run]) -> None:
    from core.analysis.encode import load
    from core.families.elmo.pretrain import ElmoForPretraining

    loaded = load(runs["elmo"])
    network = ElmoForPretraining(loaded.config.model, loaded.tokenizer.vocab_size)
    network.load_state_dict(loaded.weights)
    network.eval()
    ids = [loaded.tokenizer.id("[BOS]"), *loaded.tokenizer.encode("妈妈买了").ids]
    with torch.no_grad():
        hidden = network.encoder(torch.tensor([ids])).last_hidden_state[0, -1]
        scores = network.token_logits(hidden[: len(hidden) // 2])
    likeliest = loaded.tokenizer.token(int(scores[7:].argmax()) + 7)
    shown = [token for token in asked.following(str(runs["elmo"].path), "妈妈买了")["lists"][0]["tokens"] if token != "end of the text"]
    assert shown[0] == likeliest


def test_a_text_is_written_token_by_token_with_what_else_it_could_have_been(runs: dict[str, Run]) -> None:
    question = ("write", {"run": str(runs["gpt"].path), "text": "妈妈", "tokens": 6, "seed": 3})
    *tokens, end = [answer for _, answer in _answers([question])]
    assert 1 <= len(tokens) <= 6 and end["ended"] == ("length" if len(tokens) == 6 else "stopped")
    for one in tokens:
        assert any(token == one["token"] and share == pytest.approx(one["probability"]) for token, share in one["alternatives"]) or \
            one["probability"] < one["alternatives"][-1][1]
    assert _answers([question]) == _answers([question])


def test_one_that_cannot_answer_does_not_keep_the_others_from_it(runs: dict[str, Run]) -> None:
    found = _answers([("next", {"run": str(runs["bert"].path), "text": "妈妈"}), ("write", {"run": str(runs["elmo"].path), "text": "妈妈"}),
                      ("fill", {"run": str(runs["gpt"].path), "text": "妈妈"}), ("next", {"run": str(runs["gpt"].path), "text": "妈妈"})])
    assert [("error" in answer) for _, answer in found] == [True, True, True, False]
    assert "[MASK]" in found[2][1]["hint"]


def test_a_newer_checkpoint_is_asked_at_once(runs: dict[str, Run], tmp_path: Path) -> None:
    run = make_run(tmp_path, "gpt", steps=6)
    worker.work(run.path)
    before = asked.following(str(run.path), "妈妈")
    run.change({"steps": 12})
    worker.work(run.path)
    assert (before["step"], asked.following(str(run.path), "妈妈")["step"]) == (6, 12)


def test_it_stops_between_two_runs(runs: dict[str, Run]) -> None:
    questions = [("next", {"run": str(runs["gpt"].path), "text": "妈妈"})] * 3
    seen: list[int] = []
    assert asked.answer(questions, lambda: len(seen) == 1, lambda place, answer: seen.append(place)) == 1
