"""The second stage from start to end: every family on every task, what is in the run's folder, resume bit for bit."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core import checkpoints, cli, config, events, launch, study
from core.analysis import encode
from core.analysis import evaluate as measuring
from core.errors import UserError
from core.registry import FAMILIES
from core.runs import Run
from core.tasks import data, seeds
from core.tasks.batches import network_inputs
from core.tasks.config import TaskConfig, build_finetune
from core.tasks.data import load as load_labelled
from core.tasks.inspect import advice, inspect
from core.train import worker
from core.train.device import Device
from core.train.finetune import FinetuneLearner, adamw, layer_depths
from core.train.loop import Loop
from tests.core.train.test_training import assert_same_weights
from tests.helpers.labelled import KINDS, make_finetune, write_labelled
from tests.helpers.runs import make_run
from tests.helpers.saved import saved_run

MEASURES = {"classification": {"accuracy", "macro_f1"}, "matching": {"accuracy", "macro_f1"}, "entailment": {"accuracy", "macro_f1"},
            "similarity": {"pearson", "spearman"}, "multiple_choice": {"accuracy"}, "tagging": {"precision", "recall", "f1"},
            "span": {"exact_match", "f1"}}
FIELDS = {"classification": {"text": "妈妈买了一个苹果"}, "matching": {"text_a": "妈妈买了一个苹果", "text_b": "小李在苹果上班"},
          "multiple_choice": {"context": "妈妈买了一个苹果", "question": "谁?", "choices": ["妈妈", "小李"]}, "tagging": {"text": "妈妈买了一个苹果"},
          "span": {"context": "今天妈妈买了一个苹果。", "question": "谁?"}}
FIELDS |= {"entailment": FIELDS["matching"], "similarity": FIELDS["matching"]}
CPU = Device(device=torch.device("cpu"), dtype=None, threads=1)


@pytest.fixture(autouse=True)
def _leave_the_process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_listen", lambda: lambda: False)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A pretrained run of each family."""
    patch = pytest.MonkeyPatch()
    patch.setattr(worker, "_listen", lambda: lambda: False)
    made = {}
    for name in FAMILIES:
        made[name] = make_run(tmp_path_factory.mktemp(name), name, steps=4, probes=1, evals=1, checkpoints=1)
        assert worker.work(made[name].path) == 0
    patch.undo()
    return made


def learner_of(run: Run) -> FinetuneLearner:
    return FinetuneLearner(run.config, load_labelled(run), CPU, None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_every_task_and_answers(pretrained: dict[str, Run], tmp_path: Path, family: str, kind: str) -> None:
    run = make_finetune(tmp_path, pretrained[family], kind)
    assert worker.work(run.path) == 0, (run.path / "events.jsonl").read_text()
    told = run.events()
    checked = [event for event in told if isinstance(event, events.EvalEnd)][-1]
    assert set(checked.metrics) == {"loss", *MEASURES[kind]}
    result = measuring.evaluate(run=str(run.path))
    assert result["examples"] == len(result["rows"]) == 8
    for name in MEASURES[kind]:
        assert result["metrics"][name] == pytest.approx(checked.metrics[name]), "the saved model is the one that was measured"
    labelled = {"accuracy", "macro_f1"} & MEASURES[kind]
    assert set(result["intervals"]) == labelled and (result["majority"] is None) == (not labelled)
    assert all(0 <= low <= high <= 1 for low, high in result["intervals"].values())
    answer = measuring.predict_text(run=str(run.path), fields=FIELDS[kind])
    if "probabilities" in answer and isinstance(answer["probabilities"], dict):
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    if kind == "span":
        assert all(item["text"] == FIELDS["span"]["context"][item["start"]:item["end"]] for item in answer["candidates"])
    if kind == "tagging":
        assert len(answer["tags"]) == len(answer["units"]) == 8
    mixed = [name for name in [event for event in told if isinstance(event, events.StepEnd)][-1].metrics if name.startswith("mix")]
    assert mixed == (["mix_0", "mix_1", "mix_2", "mix_gamma"] if family == "elmo" else [])
    assert encode.static_vectors(encode.load(run)).shape[0] == encode.load(pretrained[family]).tokenizer.vocab_size


def test_a_new_run_in_the_folder_of_a_deleted_one_answers_for_itself(pretrained: dict[str, Run], tmp_path: Path) -> None:
    said = []
    for seed in (1, 2):
        run = make_finetune(tmp_path, pretrained["bert"], seed=seed, learning_rate=0.01)
        assert worker.work(run.path) == 0
        said.append(measuring.predict_text(run=str(run.path), fields=FIELDS["classification"])["probabilities"])
        own = measuring.load_task(run)
        assert said[-1] == own.predict([measuring.example_of(own, FIELDS["classification"])])[0]["probabilities"]
        shutil.rmtree(run.path)
    assert said[0] != said[1]


@pytest.mark.parametrize("family", ["gpt", "elmo"])
def test_the_similarity_of_a_pair_does_not_depend_on_its_order(pretrained: dict[str, Run], tmp_path: Path, family: str) -> None:
    run = make_finetune(tmp_path, pretrained[family], "similarity", **{"train.steps": 8})
    worker.work(run.path)
    examples = load_labelled(run).dev
    model = measuring.load_task(run)
    values = model.predict(examples)
    swapped = model.predict([measuring.replace(example, texts=example.texts[::-1]) for example in examples])
    for one, other in zip(values, swapped, strict=True):
        assert one["value"] == pytest.approx(other["value"], abs=1e-6)
    given = make_finetune(tmp_path / "given", pretrained[family], "similarity", order="given")
    worker.work(given.path)
    answer = measuring.predict_text(run=str(given.path), fields=FIELDS["similarity"])
    assert answer["value"] != answer["swapped"]["value"]


def test_the_folder_needs_nothing_else(pretrained: dict[str, Run], tmp_path: Path) -> None:
    source = Run.open(shutil.copytree(pretrained["bert"].path, tmp_path / "source"))
    one, other = (make_finetune(tmp_path, source, seed=3) for _ in range(2))
    assert worker.work(one.path) == 0
    shutil.rmtree(source.path)
    for path in tmp_path.glob("classification*"):
        path.unlink()
    assert worker.work(other.path) == 0
    assert_same_weights(one, other)
    noted = json.loads((one.path / "pretrained" / "source.json").read_text())
    assert noted["step"] == 4 and noted["run"] == str(source.path)
    (other.path / "pretrained" / "model.safetensors").write_bytes(b"damaged")
    shutil.rmtree(other.path / "checkpoints")
    assert worker.work(other.path) == 2
    assert "damaged" in other.status().text


@pytest.mark.parametrize(("family", "kind"), [("bert", "classification"), ("gpt", "span"), ("elmo", "tagging"), ("word2vec", "matching")])
def test_stopped_and_resumed_is_bit_identical(pretrained: dict[str, Run], tmp_path: Path, family: str, kind: str,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"train.steps": 8, "unfreeze": "gradual", "crf": True, "checkpoints": 4}
    undisturbed, stopped = (make_finetune(tmp_path, pretrained[family], kind, **options) for _ in range(2))
    worker.work(undisturbed.path)
    with monkeypatch.context() as patch:
        original = Loop._agree

        def agree(self: Loop, begun: float) -> tuple[float, int]:
            if self.at.step == 3:
                self.run.command("stop")
            return original(self, begun)

        patch.setattr(Loop, "_agree", agree)
        worker.work(stopped.path)
    stopped.withdraw("stop")
    assert stopped.status().state == "stopped" and stopped.status().step == 3
    worker.work(stopped.path)
    assert stopped.status().state == "finished"
    assert_same_weights(undisturbed, stopped)


def test_killed_and_resumed_is_bit_identical(pretrained: dict[str, Run], tmp_path: Path) -> None:
    # benchmarks/kill.py --finetune does this many times over
    undisturbed, killed = (make_finetune(tmp_path, pretrained["elmo"], "tagging", **{"train.steps": 80, "checkpoints": 20}) for _ in range(2))
    worker.work(undisturbed.path)
    process = launch.start(killed)
    deadline = time.monotonic() + 120
    while not killed.checkpoint_steps() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    worker.work(killed.path)
    assert killed.status().state == "finished"
    assert_same_weights(undisturbed, killed)


def test_frozen_layers_stay_and_others_learn(pretrained: dict[str, Run], tmp_path: Path) -> None:
    def changed(run: Run) -> set[str]:
        worker.work(run.path)
        before, after = checkpoints.load(pretrained["bert"]).model, checkpoints.load(run).model
        return {name for name in before if name.startswith("encoder.") and name in after and not torch.equal(before[name], after[name])}

    assert changed(make_finetune(tmp_path, pretrained["bert"], unfreeze="none")) == set()
    assert any("token_embedding" in name for name in changed(make_finetune(tmp_path, pretrained["bert"])))
    assert changed(make_finetune(tmp_path, pretrained["bert"], mix="on")) == set(), "a mix leaves the layers as they are"


def test_layers_thaw_from_the_top(pretrained: dict[str, Run], tmp_path: Path) -> None:
    learner = learner_of(make_finetune(tmp_path, pretrained["bert"], unfreeze="gradual", from_scratch=True))
    open_at = {}
    for progress in (0.0, 0.2, 0.4, 0.6):
        learner._thaw(progress)
        open_at[progress] = sorted({layer_depths(learner.network())[name] for name, parameter in learner.network().named_parameters()
                                    if name.startswith("encoder.") and parameter.requires_grad})
    assert open_at == {0.0: [2], 0.2: [1, 2], 0.4: [0, 1, 2], 0.6: [0, 1, 2]}


def test_lower_layers_learn_more_slowly(pretrained: dict[str, Run], tmp_path: Path) -> None:
    run = make_finetune(tmp_path, pretrained["bert"], layer_lr_decay=0.5, head_rate=3, learning_rate=0.01, from_scratch=True)
    network = learner_of(run).network()
    optimizer = adamw(network, run.config, layer_depths(network))
    rates = {id(parameter): group["lr"] for group in optimizer.param_groups for parameter in group["params"]}
    named = dict(network.named_parameters())
    assert [rates[id(named[name])] for name in ("encoder.token_embedding.weight", "encoder.layers.0.attention.qkv.weight",
                                                "encoder.layers.1.attention.qkv.weight", "encoder.pooler.weight", "head.linear.weight")] \
        == pytest.approx([0.0025, 0.005, 0.01, 0.01, 0.03])


def test_the_learning_rate_that_is_told_is_that_of_the_settings_not_of_the_lowest_layer(pretrained: dict[str, Run], tmp_path: Path) -> None:
    learner = learner_of(make_finetune(tmp_path, pretrained["bert"], layer_lr_decay=0.5, head_rate=3, learning_rate=0.01, schedule="linear",
                                       warmup=0.0, from_scratch=True))
    assert learner.step(0, 0.0).learning_rate == pytest.approx(0.01) and learner.step(1, 0.25).learning_rate == pytest.approx(0.0075)


def test_class_weights_smoothing_and_the_language_models_loss(pretrained: dict[str, Run], tmp_path: Path) -> None:
    run = make_finetune(tmp_path, pretrained["gpt"], class_weights=True, label_smoothing=0.1, from_scratch=True)
    learner = learner_of(run)
    counts = [sum(example.label == name for example in learner._data.train) for name in ("company", "fruit")]
    assert learner.network().head.class_weights.tolist() == pytest.approx([24 / (2 * count) for count in counts])
    training = learner._training
    batch = training.batch("train", 0)
    loss = training.loss(training.network.eval(), batch)
    alone, _ = training.network.head.loss(training.network(*(batch[name] for name in ("input_ids", "attention_mask", "token_type_ids"))), batch)
    lm = loss.sums["lm_loss"]
    assert loss.value.item() == pytest.approx((alone / batch["normalizer"] + 0.5 * lm[0] / lm[1]).item(), rel=1e-5)


def test_a_mix_is_pulled_towards_an_even_one_by_mix_l2(pretrained: dict[str, Run], tmp_path: Path) -> None:
    learner = learner_of(make_finetune(tmp_path, pretrained["bert"], mix="on", mix_l2=0.25))
    training, network = learner._training, learner.network().eval()
    batch = training.batch("train", 0)
    even = training.loss(network, batch).value.item()
    with torch.no_grad():
        network.mix.scalar_parameters += 2.0  # all alike: the same mix, further from nothing
    layers = len(network.mix.scalar_parameters)
    assert training.loss(network, batch).value.item() == pytest.approx(even + 0.25 * layers * 4.0, rel=1e-5)


def test_the_language_models_loss_is_that_of_its_own_output_matrix(tmp_path: Path) -> None:
    run = make_finetune(tmp_path, _trained(tmp_path, "gpt", tied=False), from_scratch=True)
    learner = learner_of(run)
    training, network = learner._training, learner.network().eval()
    batch = training.batch("train", 0)
    total, count = training.loss(network, batch).sums["lm_loss"]
    read = network.read(**network_inputs(batch))
    ids, real = batch["input_ids"].flatten(0, 1), batch["attention_mask"].flatten(0, 1)[:, 1:] == 1
    logits = network.encoder.token_logits(read.last_hidden_state[:, :-1][real])
    assert (total / count).item() == pytest.approx(torch.nn.functional.cross_entropy(logits, ids[:, 1:][real]).item(), rel=1e-5)
    assert layer_depths(network)["encoder.output.weight"] == 2


def test_from_scratch_a_character_cnn_knows_how_its_tokens_are_written(tmp_path: Path) -> None:
    run = make_finetune(tmp_path, saved_run(tmp_path / "pretrained", "elmo", embedding="char_cnn"), from_scratch=True)
    vectors = learner_of(run).network().encoder.eval().token_vectors()
    assert len(vectors.detach().unique(dim=0)) == len(vectors)


def _trained(folder: Path, family: str, **options: object) -> Run:
    run = make_run(folder / "pretrained", family, steps=2, probes=0, evals=1, checkpoints=1, **options)
    assert worker.work(run.path) == 0
    return run


@pytest.mark.parametrize("place", ["output", "both"])
def test_the_mix_may_stand_elsewhere(pretrained: dict[str, Run], tmp_path: Path, place: str) -> None:
    run = make_finetune(tmp_path, pretrained["elmo"], "tagging", mix_place=place, own_embedding=8)
    assert worker.work(run.path) == 0
    last = [event for event in run.events() if isinstance(event, events.StepEnd)][-1]
    assert sum(last.metrics[f"mix_{index}"] for index in range(3)) == pytest.approx(1)
    assert ("mix_output_gamma" in last.metrics) == (place == "both")


def test_settings_of_both_stages(pretrained: dict[str, Run], tmp_path: Path) -> None:
    run = make_finetune(tmp_path, pretrained["bert"], labels=7, dropout=0.3)
    assert Run.open(run.path).config == run.config
    assert len(load_labelled(run).train) == 7
    old = config.to_dict(pretrained["bert"].config)
    old.pop("task")
    assert config.from_dict(old) == pretrained["bert"].config
    parsed = cli._parser().parse_args(config.as_command(run.config))
    files = {"task.train_file": str(parsed.train), "task.dev_file": str(parsed.dev)}
    again = build_finetune(parsed.pretrained, parsed.task, {**cli.settings(parsed.set), **files})
    assert config.to_dict(again) == {**config.to_dict(run.config), "name": ""}
    for options, words in (({"hidden_size": 32}, "settled"), ({"lables": 3}, "labels"), ({"pooling": "middle"}, "pooling")):
        with pytest.raises(UserError, match=words):
            build_finetune(pretrained["bert"], "classification", options)
    with pytest.raises(UserError, match="itself a finetuned run"):
        build_finetune(run, "classification")
    with pytest.raises(UserError, match="has not learnt a task"):
        measuring.load_task(pretrained["bert"])


def test_a_run_that_is_still_trained_may_remove_its_checkpoints_while_the_files_are_read(
        pretrained: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, read = Run.open(shutil.copytree(pretrained["bert"].path, tmp_path / "trained")), data.read_files
    (first,) = run.checkpoint_steps()

    def trained_meanwhile(task: TaskConfig) -> tuple:
        for step in (first + 1, first + 2):
            shutil.copytree(run.checkpoint_path(first), run.checkpoint_path(step))
        shutil.rmtree(run.checkpoint_path(first))
        return read(task)

    monkeypatch.setattr(data, "read_files", trained_meanwhile)
    made = make_finetune(tmp_path, run)
    assert json.loads((made.path / "pretrained/source.json").read_text(encoding="utf-8"))["step"] == first + 2


def test_ctrl_c_while_a_finetune_is_made_leaves_no_half_of_it(pretrained: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.tasks.data.write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_finetune(tmp_path, pretrained["bert"])
    assert not list(tmp_path.glob("finetune*"))


def test_the_preview_shows_what_the_model_will_read(pretrained: dict[str, Run], tmp_path: Path) -> None:
    def look(family: str, kind: str, **options: object) -> dict:
        train, dev = write_labelled(tmp_path, kind), write_labelled(tmp_path, kind, seed=1)
        return inspect(pretrained=str(pretrained[family].path), task=KINDS[kind][0],
                       options={"task.train_file": str(train), "task.dev_file": str(dev), **options}, examples=2)

    seen = look("bert", "matching")
    assert seen["error"] == "" and seen["columns"]["train"] == {"text_a": "text_a", "text_b": "text_b", "label": "label"}
    part = seen["examples"][0]["parts"][0]
    assert part["tokens"][0] == "[CLS]" and part["tokens"].count("[SEP]") == 2 and part["segments"][-1] == 1 and part["special"][0]
    assert seen["labels"] == ["0", "1"] and sum(seen["label_counts"].values()) == seen["counts"]["train"] == seen["cut_of"]["train"] == 24
    assert look("bert", "matching", seq_len=12)["cut"]["train"] > 0
    tags = look("bert", "tagging")["examples"][0]["parts"][0]["labels"]
    assert tags[:4] == ["", "B-PER", "I-PER", "O"]
    span = look("gpt", "span")
    assert span["sees"] and "answer" in span["examples"][0]["parts"][0]["labels"]
    wrong = look("gpt", "classification", column_label="nothing")
    assert wrong["error"] and wrong["hint"] and wrong["where"] == "column_label"


def test_the_verbs(pretrained: dict[str, Run], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    train, dev = write_labelled(tmp_path, "classification"), write_labelled(tmp_path, "classification", count=8, seed=1)
    place = str(pretrained["bert"].path)
    files = ["--task", "classification", "--train", str(train), "--dev", str(dev)]
    small = ["--set", "batch_size=4", "threads=1", "probes=1"]
    assert cli.main(["finetune", place, *files, "--labels", "12", "--freeze", "--steps", "3", *small, "--run", str(tmp_path / "run")]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert cli.main(["evaluate", str(tmp_path / "run"), "--file", str(dev), "--json", "--csv", str(tmp_path / "rows.csv")]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 8 and len((tmp_path / "rows.csv").read_text().splitlines()) == 9
    assert cli.main(["evaluate", str(tmp_path / "run")]) == 0
    assert "rows: the label" in capsys.readouterr().out
    assert cli.main(["predict", str(tmp_path / "run"), "--text", "妈妈买了一个苹果", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["probabilities"]) == {"fruit", "company"}
    assert cli.main(["predict", str(tmp_path / "run"), "--text-a", "妈妈买了一个苹果"]) == 2
    assert "--text-a is nothing that this task is asked.\nGive --text." in capsys.readouterr().err
    nothing = tmp_path / "nothing.txt"
    nothing.write_text("")
    for arguments, words in ((["finetune", place, "--task", "tagging", *files[2:]], "neither O nor"),
                             (["predict", place, "--text", "一"], "pretrained"),
                             (["predict", str(tmp_path / "run")], "empty"),
                             (["predict", str(tmp_path / "run"), "--file", str(nothing)], "holds no text"),
                             (["fill", str(tmp_path / "run"), "--text", "[MASK]"], "finetuned"),
                             (["finetune", place, "--task", "clasification", *files[2:]], "classification"),
                             (["finetune", str(tmp_path), *files], "config.json")):
        assert cli.main(arguments) == 2
        said = capsys.readouterr().err
        assert words in said and "Traceback" not in said
    out = tmp_path / "worth"
    asked = ["worth", place, *files, "--counts", "6,12", "--seeds", "2", "--out", str(out), "--set", "train.steps=2", "threads=1"]
    assert cli.main(asked) == 0
    said = capsys.readouterr()
    assert "From scratch, 6 labels, seed 0" in said.err and re.search(r"^From scratch .* ± ", said.out, re.MULTILINE)
    lines = (out / study.RESULTS).read_text().splitlines()
    read = study.read_study(out)
    assert read["done"] == read["total"] == len(lines) == 2 * 2 * 3 + 2
    (out / study.RESULTS).write_text("\n".join(lines[:5]) + "\n" + lines[5][:20])
    assert cli.main(asked) == 0
    again = study.read_study(out)
    assert again["done"] == again["total"] and again["curves"] == read["curves"], "what was torn is made again, and comes out the same"
    assert cli.main([*asked, "--text", "text"]) == 2
    capsys.readouterr()
    assert cli.main([*asked[: asked.index("--seeds")], "--seeds", "1", *asked[asked.index("--seeds") + 2 :]]) == 0
    assert "±" not in capsys.readouterr().out, "of one seed there is no spread"
    fewer = study.read_study(out)
    assert fewer["done"] == fewer["total"] == 2 * 3 + 2, "of two seeds that were made before, one is asked for"
    assert all(len(point["values"]) == 1 for points in fewer["curves"].values() for point in points)


def test_figures_of_a_comparison_are_those_of_these_files_and_weights_or_it_says_so(pretrained: dict[str, Run], tmp_path: Path,
                                                                                   capsys: pytest.CaptureFixture) -> None:
    run = Run(shutil.copytree(pretrained["word2vec"].path, tmp_path / "run"), pretrained["word2vec"].config)
    train, dev, out = write_labelled(tmp_path, "classification"), write_labelled(tmp_path, "classification", 8, seed=1), tmp_path / "worth"
    asked = ["worth", str(run.path), "--task", "classification", "--train", str(train), "--dev", str(dev), "--counts", "6", "--seeds", "1",
             "--set", "train.steps=1", "threads=1", "--out"]
    assert cli.main([*asked, str(out)]) == 0 and cli.main([*asked, str(out)]) == 0
    results = (out / study.RESULTS).read_bytes()
    newest = checkpoints.load(run)
    for path, change in ((dev, lambda: dev.write_text(dev.read_text(encoding="utf-8").replace("fruit", "pear"), encoding="utf-8")),
                         (run.path, lambda: checkpoints.save(run, replace(newest, model={name: one + 1 for name, one in newest.model.items()})))):
        before = dev.read_bytes()
        change()
        capsys.readouterr()
        assert cli.main([*asked, str(out)]) == 2
        assert f"not made with what {path.name} holds now" in capsys.readouterr().err and (out / study.RESULTS).read_bytes() == results
        dev.write_bytes(before)
    (tmp_path / "file").write_text("mine")
    assert cli.main([*asked, str(tmp_path / "file")]) == 2 and (tmp_path / "file").read_text() == "mine"
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(("family", "kind"), [("elmo", "matching"), ("bert", "classification"), ("word2vec", "span")])
def test_what_a_frozen_model_has_read_once_is_what_it_would_read_again(pretrained: dict[str, Run], tmp_path: Path, family: str, kind: str) -> None:
    run = make_finetune(tmp_path, pretrained[family], kind, unfreeze="none", from_scratch=True)
    training = learner_of(run)._training
    training.network.eval()
    batch = training.batch("train", 0)
    assert "states" in batch
    kept = training.loss(training.network, batch)
    again = training.loss(training.network, {name: value for name, value in batch.items() if name not in ("states", "pooler_output")})
    assert kept.value.item() == pytest.approx(again.value.item(), rel=1e-5)


# which checkpoint is the best, and several seeds

def test_the_tasks_figure_decides_which_checkpoint_is_the_best(pretrained: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_finetune(tmp_path, pretrained["bert"], **{"train.steps": 10, "evals": 5, "checkpoints": 1, "patience": 2})
    measured = iter([{"loss": 0.9, "accuracy": 0.5}, {"loss": 1.5, "accuracy": 0.7}, {"loss": 0.5, "accuracy": 0.6}, {"loss": 1.4, "accuracy": 0.7},
                     {"loss": 0.1, "accuracy": 0.1}])
    monkeypatch.setattr(FinetuneLearner, "evaluate", lambda self: next(measured))
    assert worker.work(run.path) == 0
    saved = [event.step for event in run.events() if isinstance(event, events.CheckpointSaved) and event.best]
    assert saved == [2, 4, 8], "the higher accuracy, whatever the loss; of equal ones the smaller loss"
    assert (run.best_step(), run.checkpoint_steps()[-1]) == (8, 10)
    assert (run.named_step("best"), run.named_step("newest"), run.named_step("10")) == (8, None, 10)
    assert measuring.evaluate(run=str(run.path), checkpoint="best")["step"] == 8
    assert measuring.evaluate(run=str(run.path))["step"] == 10
    assert measuring.predict_text(run=str(run.path), fields=FIELDS["classification"], checkpoint="best")["step"] == 8
    with pytest.raises(UserError, match="no checkpoint '3'"):
        run.named_step("3")
    shutil.rmtree(run.checkpoint_path(8))
    with pytest.raises(UserError, match="no best checkpoint"):
        run.named_step("best")


def test_it_stops_early_by_the_tasks_figure_also_when_resumed(pretrained: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_finetune(tmp_path, pretrained["bert"], **{"train.steps": 10, "evals": 5, "checkpoints": 5, "patience": 2})
    measured = iter([{"loss": 0.9, "accuracy": 0.7}, {"loss": 0.8, "accuracy": 0.6}])
    monkeypatch.setattr(FinetuneLearner, "evaluate", lambda self: next(measured))
    original = Loop._agree
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_agree", lambda self, begun: (original(self, begun)[0], 0 if self.at.step < 3 else 1))
        assert worker.work(run.path) == 0
    assert run.status().state == "stopped"
    assert checkpoints.load(run).state["best_score"] == 0.7
    measured = iter([{"loss": 0.1, "accuracy": 0.5}, {"loss": 0.1, "accuracy": 0.6}])  # at steps 4 and 6: the one at the stop does not count
    assert worker.work(run.path) == 0
    assert (run.events()[-1].reason, run.events()[-1].step) == ("early_stop", 6) and run.best_step() == 2


def test_progress_counts_examples(pretrained: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.tasks.predictor.TOKENS_AT_ONCE", 32)
    for kind in ("classification", "tagging"):
        run = make_finetune(tmp_path / kind, pretrained["bert"], kind, **{"train.seq_len": 8})
        worker.work(run.path)
        told: list[tuple[int, int]] = []
        measuring.evaluate(run=str(run.path), on_progress=lambda *values, told=told: told.append(values))
        assert told[0] == (0, 8) and told[-1] == (8, 8) and len({done for done, _ in told}) > 2 and told == sorted(told)


def test_the_best_of_a_seed_is_its_highest_figure_wherever_it_came(tmp_path: Path) -> None:
    finetune = build_finetune(make_run(tmp_path / "pre"), "classification", {})
    runs = [Run.create(one, tmp_path / f"seed{one.train.seed}") for one in seeds.with_seeds(finetune, 2)]
    for run, checked in zip(runs, ([(0.5, 1.0), (0.75, 0.5), (0.75, 0.4), (0.25, 0.1)], [(1.0, 0.9), (0.5, 0.2)]), strict=True):
        (run.path / "dev.jsonl").write_text("", encoding="utf-8")
        told = [events.EvalEnd(step=number, metrics={"loss": loss, "accuracy": figure}) for number, (figure, loss) in enumerate(checked)]
        run.events_path.write_text("".join(events.to_line(event) + "\n" for event in [*told, events.RunFinished(step=9, reason="complete")]))
    found, = seeds.over_seeds(runs=[str(runs[0].path)])
    assert (found["best"]["accuracy"]["values"], found["best"]["loss"]["values"]) == ([0.75, 1.0], [0.4, 0.9]), "of equal ones the smaller loss"
    assert (found["end"]["accuracy"]["values"], found["end"]["accuracy"]["mean"]) == ([0.25, 0.5], 0.375)
    assert found["end"]["accuracy"]["spread"] == pytest.approx(0.125 * 2**0.5)


def test_several_seeds_have_a_mean_and_a_spread(pretrained: dict[str, Run], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    train, dev = write_labelled(tmp_path, "classification"), write_labelled(tmp_path, "classification", count=8, seed=1)
    asked = ["finetune", str(pretrained["bert"].path), "--task", "classification", "--train", str(train), "--dev", str(dev), "--labels", "12",
             "--steps", "3", "--set", "batch_size=4", "threads=1", "probes=0", "--run", str(tmp_path / "many")]
    assert cli.main([*asked, "--seeds", "3"]) == 0
    said = capsys.readouterr()
    folders = [tmp_path / f"many-seed{seed}" for seed in range(3)]
    values = [json.loads((folder / "events.jsonl").read_text().splitlines()[-3])["metrics"]["accuracy"] for folder in folders]
    assert "3 seeds" in said.out and f"accuracy {sum(values) / 3:.3f} ± {torch.tensor(values).std():.3f}" in said.out
    assert "text: text, label: label" in said.err and "2 labels: company, fruit" in said.err
    found, = seeds.over_seeds(runs=[str(folder) for folder in folders])
    assert found["seeds"] == [0, 1, 2] and found["metric"] == "accuracy" and found["end"]["accuracy"]["values"] == pytest.approx(values)
    assert [Run.open(folder).config.train.seed for folder in folders] == [0, 1, 2]
    drawn = [[example.line for example in load_labelled(Run.open(folder)).train] for folder in folders]
    assert drawn[0] != drawn[1] != drawn[2]
    shutil.copytree(folders[1], tmp_path / "again")
    found, = seeds.over_seeds(runs=[str(folders[0]), str(tmp_path / "again"), str(folders[1])])
    assert found["seeds"] == [0, 1, 2], "a seed that was run twice counts once"
    shutil.rmtree(tmp_path / "again")
    (folders[2] / "dev.jsonl").write_text((folders[2] / "dev.jsonl").read_text() + "\n")
    assert seeds.over_seeds(runs=[str(folders[0])])[0]["seeds"] == [0, 1], "what was measured on other examples is not averaged"
    Run.open(folders[1]).events_path.unlink()
    assert seeds.over_seeds(runs=[str(folders[0]), str(pretrained["bert"].path), str(tmp_path)]) == [], "nor what has not come to its end"
    assert cli.main([*asked, "--seeds", "0"]) == 2
    before = sorted(tmp_path.iterdir())
    (tmp_path / "other-seed1").mkdir()
    (tmp_path / "other-seed1" / "x").touch()
    assert cli.main([*asked[:-1], str(tmp_path / "other"), "--seeds", "2"]) == 2
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "other-seed1"]), "none is made where one cannot be"


def test_a_bert_whose_cls_never_learnt_says_so(pretrained: dict[str, Run], tmp_path: Path) -> None:
    def said(kind: str = "classification", run: Run = pretrained["bert"], **options: object) -> str:
        return advice(make_finetune(tmp_path, run, kind, **options).config)

    assert "pooling=mean" in said() and said("matching") and said("multiple_choice") and said(pooling="first")
    assert not said(pooling="mean") and not said("tagging") and not said("span") and not said(from_scratch=True)
    assert not said(run=pretrained["gpt"])
    paired = Run.open(shutil.copytree(pretrained["bert"].path, tmp_path / "paired"))
    made = json.loads((paired.path / "config.json").read_text())
    made["objective"]["next_sentence"] = True
    (paired.path / "config.json").write_text(json.dumps(made))
    assert not said(run=Run.open(paired.path))


def test_what_flatters_or_is_cut_is_said_before_training(pretrained: dict[str, Run], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    train = write_labelled(tmp_path, "classification")
    asked = ["finetune", str(pretrained["bert"].path), "--task", "classification", "--train", str(train), "--dev", str(train), "--steps", "2",
             "--set", "batch_size=4", "threads=1", "probes=0", "seq_len=8", "--run"]
    assert cli.main([*asked, str(tmp_path / "same")]) == 0
    said = capsys.readouterr().err
    assert "dev: 24 × One file is given" in said and said.index("One file") < said.index("step 2")
    assert "A text longer than the model reads" in said and "never learnt anything" in said
    assert cli.main(["evaluate", str(tmp_path / "same")]) == 0
    assert "the figures flatter" in capsys.readouterr().err
    files = {"task.train_file": str(train), "task.dev_file": str(train)}
    seen = inspect(pretrained=str(pretrained["bert"].path), task="classification", options=files)
    assert len(seen["warnings"]) == 1 and "pooling=mean" in seen["advice"]
    (tmp_path / "same" / "train.jsonl").unlink()
    assert cli.main(["evaluate", str(tmp_path / "same"), "--file", str(train)]) == 0, "an export does not hold what it has learnt from"
    assert "flatter" not in capsys.readouterr().err
    assert cli.main(["predict", str(tmp_path / "same"), "--text", "妈妈买了一个苹果" * 3]) == 0
    assert "cut" in capsys.readouterr().err
