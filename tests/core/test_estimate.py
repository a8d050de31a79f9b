from __future__ import annotations

from dataclasses import replace

import pytest

from core import config, estimate
from core.estimate import Machine, Sample, TextSize
from core.events import EventWriter, RunStarted, StepEnd
from core.families.cost import Cost
from core.registry import family, load
from core.runs import UNPACKED, Run
from core.tasks.config import TaskConfig

TEXT = TextSize(tokens=100_000, vocab_size=101)
MACHINE = Machine(cores=2, memory=8 << 30)
GPU = Machine(cores=8, memory=32 << 30, kind="cuda", gpu="a card", gpu_memory=8 << 30)
SMALL = {"num_layers": 3, "num_heads": 2, "hidden_size": 24, "max_seq_len": 70}


def _cost(made: config.RunConfig) -> Cost:
    return estimate.cost_of(made, TEXT.vocab_size, TEXT.tokens)


def _network(made: config.RunConfig, vocab_size: int):
    """The family's network as it is trained, without a text."""
    if made.family == "elmo":
        from core.families.elmo.pretrain import ElmoForPretraining

        return ElmoForPretraining(made.model, vocab_size)
    place = family(made.family).pretrain or family(made.family).learner
    return load(place).build(made, vocab_size)


@pytest.mark.parametrize(("name", "options"), [
    ("bert", SMALL), ("bert", {**SMALL, "next_sentence": True, "intermediate_size": 50}), ("gpt", SMALL),
    ("elmo", {"hidden_size": 24}), ("elmo", {"hidden_size": 24, "cell_size": 40, "num_layers": 1}),
    ("elmo", {"hidden_size": 24, "embedding": "char_cnn", "max_characters": 4}), ("word2vec", {"dim": 33})])
def test_the_parameters_are_those_of_the_network(name, options):
    made = config.build(name, options=options)
    network = _network(made, TEXT.vocab_size)
    assert estimate.estimate(made, TEXT, MACHINE).parameters == sum(one.numel() for one in network.parameters())


@pytest.mark.parametrize(("name", "options"), [
    ("bert", SMALL), ("bert", {**SMALL, "next_sentence": True}), ("bert", {**SMALL, "next_sentence": True, "intermediate_size": 50}), ("gpt", SMALL),
    ("elmo", {"hidden_size": 24}), ("elmo", {"hidden_size": 24, "cell_size": 40}),
    ("elmo", {"hidden_size": 24, "embedding": "char_cnn", "max_characters": 4})])
@pytest.mark.parametrize("vocab_size", [101, 24, 96])  # the latter are sides of hidden matrices, too
def test_the_matrices_of_muon_are_those_that_it_takes_over(name, options, vocab_size):
    from core.train.optim import split

    made = config.build(name, options=options)
    hidden, _, _ = split(_network(made, vocab_size))
    assert estimate.cost_of(made, vocab_size, TEXT.tokens).hidden == sum(one.numel() for one in hidden)


def test_the_first_limit_ends_the_run():
    def seconds(**options):
        return estimate.estimate(config.build("gpt", options=options), TEXT, MACHINE).seconds

    assert seconds(minutes=2) == 120
    assert seconds(minutes=2, steps=1) < 120
    assert seconds(epochs=2) == pytest.approx(2 * seconds(epochs=1))
    assert seconds(steps=10, batch_size=64) == pytest.approx(2 * seconds(steps=10, batch_size=32))


def test_a_smaller_micro_batch_needs_less_memory_and_no_less_time():
    whole = estimate.estimate(config.build("bert", options={"steps": 100}), TEXT, MACHINE)
    parts = estimate.estimate(config.build("bert", options={"steps": 100, "micro_batch_size": 8}), TEXT, MACHINE)
    assert parts.activations == pytest.approx(whole.activations / 4, rel=0.01)
    assert parts.memory < whole.memory
    assert parts.seconds == whole.seconds


def _of(name: str = "bert", machine: Machine = MACHINE, earlier: tuple[Sample, ...] = (), **options: object) -> estimate.Estimate:
    return estimate.estimate(config.build(name, options=options), TEXT, machine, earlier)


def test_memory_is_that_of_the_tensors_in_every_process():
    one, two, muon = _of(optimizer="adamw"), _of(optimizer="adamw", processes=2), _of(optimizer="muon")
    made, size = config.build("bert"), _cost(config.build("bert"))
    assert (one.weights, one.gradients, one.optimizer) == (4 * size.parameters, 4 * size.parameters, 8 * size.parameters)
    assert muon.optimizer == one.optimizer - 4 * size.hidden
    assert one.activations == round(4 * made.train.batch_size * made.train.seq_len * size.activations)
    assert one.memory == one.weights + one.gradients + one.optimizer + one.activations + one.process == one.model_memory + one.process
    assert (two.weights, two.gradients, two.optimizer, two.process) == tuple(
        2 * part for part in (one.weights, one.gradients, one.optimizer, one.process))
    assert two.activations == one.activations == _of(processes=2, micro_batch_size=made.train.batch_size // 2).activations
    assert two.model_memory == one.model_memory - one.activations // 2 and two.memory > one.memory
    assert _of(machine=GPU).activations == pytest.approx(_of(machine=GPU, precision="fp32").activations / 2)
    word2vec = _of("word2vec")
    assert word2vec.weights == word2vec.model_memory
    assert _of("word2vec", processes=2) == word2vec, "it knows no more than one"


def test_a_token_costs_what_is_computed_for_it():
    def flops(name: str, **options: object) -> float:
        return _cost(config.build(name, options=options)).flops

    assert flops("bert", mask_percent=30) > flops("bert", mask_percent=15)
    every = {"hidden_size": 24, "objective.sample": 0.0}
    assert flops("elmo", **every) - flops("elmo", **every, sampled_softmax=10) == 12 * 91 * 24  # both directions guess
    assert 0.3 < (flops("elmo", hidden_size=24) - flops("elmo", **every, sampled_softmax=1)) / (12 * 101 * 24) < 0.9  # frequent tokens not always
    assert flops("word2vec", dim=33, objective="cbow", negative=5) == 6 * 6 * 33
    assert flops("word2vec", dim=33, objective="skip_gram", negative=5, window=4) == 5 * flops("word2vec", dim=33, objective="cbow", negative=5)


def test_what_a_run_reads_is_counted_in_steps_and_in_texts():
    batch = config.build("gpt").train.batch_size * config.build("gpt").train.seq_len
    by_steps, by_epochs = _of("gpt", steps=10), _of("gpt", epochs=2)
    assert (by_steps.steps, by_steps.tokens, by_steps.epochs) == (10, 10 * batch, 10 * batch / TEXT.tokens)
    assert (by_epochs.steps, by_epochs.tokens, by_epochs.epochs) == (round(2 * TEXT.tokens / batch), 2 * TEXT.tokens, 2)


def test_an_earlier_speed_is_scaled_by_arithmetic_and_threads():
    flops = _cost(config.build("gpt")).flops
    on_cpu, on_gpu = (Sample(family="gpt", device=device, threads=1, flops=flops, tokens_per_s=100.0) for device in ("cpu", "cuda"))
    assert _of("gpt", earlier=(on_cpu,)).tokens_per_s == pytest.approx(100 * 2**0.8)  # with both cores
    assert _of("gpt", earlier=(on_cpu,), threads=1).tokens_per_s == pytest.approx(100)
    assert _of("gpt", earlier=(replace(on_cpu, flops=4 * flops),), threads=1).tokens_per_s == pytest.approx(100 * 4**0.9)
    assert _of("gpt", GPU, (replace(on_gpu, flops=4 * flops),)).tokens_per_s == pytest.approx(200)
    several = tuple(replace(on_gpu, tokens_per_s=speed) for speed in (1.0, 900.0, 100.0))
    assert (_of("gpt", GPU, several).tokens_per_s, _of("gpt", GPU, several).samples) == (100.0, 3)


def test_an_earlier_speed_is_scaled_by_the_processes_that_reached_it():
    flops = _cost(config.build("gpt")).flops
    on_cpu, on_gpu = (Sample(family="gpt", device=device, threads=2, flops=flops, tokens_per_s=100.0, processes=2) for device in ("cpu", "cuda"))
    assert [_of("gpt", GPU, (on_gpu,), processes=count).tokens_per_s for count in (1, 2, 4)] == pytest.approx([50, 100, 200])
    assert [_of("gpt", earlier=(on_cpu,), processes=count).tokens_per_s for count in (1, 2)] == pytest.approx([100, 100]), "they share the cores"
    assert _of("gpt", earlier=(on_cpu,), processes=4, threads=1).tokens_per_s == pytest.approx(100 * 2**0.8)


def test_the_speed_is_that_of_earlier_runs_of_the_family_on_the_device():
    made = config.build("gpt")
    flops = _cost(made).flops
    mine = Sample(family="gpt", device="cpu", threads=2, flops=flops, tokens_per_s=777.0)
    others = [replace(mine, family="bert", tokens_per_s=1.0), replace(mine, device="cuda", tokens_per_s=2.0)]
    told = estimate.estimate(made, TEXT, MACHINE, [*others, mine])
    assert told.samples == 1
    assert told.tokens_per_s == pytest.approx(777.0)
    assert estimate.estimate(made, TEXT, MACHINE, others).samples == 0
    larger = config.build("gpt", options={"num_layers": 8})
    assert estimate.estimate(larger, TEXT, MACHINE, [mine]).tokens_per_s < 600


def test_a_gpu_is_taken_where_there_is_one():
    made = config.build("bert")
    assert estimate.estimate(made, TEXT, GPU).on_gpu
    assert not estimate.estimate(config.build("bert", options={"device": "cpu"}), TEXT, GPU).on_gpu
    assert not estimate.estimate(config.build("word2vec"), TEXT, GPU).on_gpu
    apple = replace(GPU, kind="mps")
    assert _of(machine=apple).on_gpu and not _of(machine=apple, processes=2).on_gpu, "it takes one process alone"


def test_samples_come_from_the_events_of_runs(tmp_path):
    run = Run.create(config.build("gpt"), tmp_path / "run")
    assert estimate.sample_of(run) is None
    writer = EventWriter(run.events_path)
    writer.write(RunStarted(step=0, device="cuda (a card)", precision="bf16", processes=2, threads=3, parameters=1, train_tokens=1, valid_tokens=1,
                            vocab_size=101, total_steps=0, versions={}))
    for step in range(1, 9):
        writer.write(StepEnd(step=step, loss=1.0, learning_rate=0.1, grad_norm=0.1, tokens=step, tokens_per_s=10.0 if step < 3 else 500.0,
                             progress=0.1, elapsed=1.0, seconds_left=1.0, memory=1))
    writer.close()
    found = estimate.samples(tmp_path)
    assert found == [Sample(family="gpt", device="cuda", threads=6, flops=_cost(run.config).flops, tokens_per_s=500.0, processes=2)]
    assert estimate.sample_of(Run(run.path, replace(run.config, task=TaskConfig(task="classification")))) is None  # a finetune reads otherwise
    (run.path / UNPACKED).write_text("{}")
    assert estimate.samples(tmp_path) == [], "it was trained on another machine"
