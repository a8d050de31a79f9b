"""How a good file of each kind is made, how it is opened and asked, and which of its files are damaged (hostile_damage.py)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.helpers.runs import write_specimens
from tests.helpers.saved import saved_run

WORDS = ["苹果", "apple", "the", "cat", "3.14"]
TEXTS = ["妈妈买了一个苹果。", "The quick brown fox isn't here, 苹果 3.14!"]


@dataclass(frozen=True)
class Kind:
    """make(folder): good files. open(folder): as the program opens and asks them. files: patterns of those that are damaged."""

    make: Callable[[Path], None]
    open: Callable[[Path], None]
    files: tuple[str, ...]


# opening

def open_model(folder: Path) -> None:
    from core.exchange.imports import import_any

    target = folder.parent / "imported"
    shutil.rmtree(target, ignore_errors=True)
    ask_run(import_any(folder / "model", target).run)


def open_vectors(name: str) -> Callable[[Path], None]:
    def opened(folder: Path) -> None:
        from core.analysis import embeddings, maps
        from core.vector_source import COSINE, FILE, VectorSource

        source = VectorSource(kind=FILE, path=str(folder / name))
        embeddings.open_source(source)
        maps.neighbours(source, 0, COSINE, 3)

    return opened


def open_packed(folder: Path) -> None:
    from core.exchange.imports import import_any

    target = folder.parent / "imported"
    shutil.rmtree(target, ignore_errors=True)
    ask_run(import_any(folder / "run.lexi", target).run)


def open_run(folder: Path) -> None:
    ask_run(folder / "run0")


def ask_run(path: Path) -> None:
    """What the window and the command line read of a run."""
    from core.analysis import vectors
    from core.analysis.encode import attention_of, load, word_vectors
    from core.runs import Run
    from core.summaries import Summaries
    from core.text.specimens import Specimen, read_specimens

    run = Run.open(path)
    run.status()
    Summaries().read(path, alive=False)
    for step in run.probe_steps():
        vectors._probe(str(run.probe_path(step)), (step, 0))
    vectors._probe.cache_clear()
    if run.specimens_path.exists():
        read_specimens(run.specimens_path)
    loaded = load(run)
    word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, [Specimen(word="苹果", sense="a", text=TEXTS[0])])
    if "attentions" in loaded.family.capabilities:
        attention_of(loaded.encoder, loaded.family, loaded.tokenizer, TEXTS[1])


def open_finetuned(folder: Path) -> None:
    from core.exchange.imports import import_any

    target = folder.parent / "imported"
    shutil.rmtree(target, ignore_errors=True)
    run = import_any(folder / "model", target).run
    ask_run(run)
    ask_task(run)


def open_finetuned_run(folder: Path) -> None:
    ask_run(folder / "run0")
    ask_task(folder / "run0")


def ask_task(path: Path) -> None:
    """What the window asks of a finetuned run, where it is one."""
    from core.analysis.evaluate import example_of, load_task
    from core.runs import Run
    from core.tasks import data

    run = Run.open(path)
    if run.config.task is None:
        return
    model = load_task(run)
    texts = {"text": TEXTS[0], "text_a": TEXTS[0], "text_b": TEXTS[1], "context": TEXTS[1], "question": TEXTS[0], "choices": WORDS}
    model.predict([example_of(model, {name: texts[name] for name in model.task.asked})])
    examples = data.read_examples(run, "dev")
    if examples:
        model.task.measure(model.predict(examples), examples, model.labels)


def open_tokenizer(folder: Path) -> None:
    from core.text.tokenizers import load_tokenizer

    for path in sorted(folder.glob("*.json")):
        tokenizer = load_tokenizer(path)
        for text in TEXTS:
            tokenizer.decode(tokenizer.encode(text).ids)
        [tokenizer.token(number) for number in range(tokenizer.vocab_size)]


def open_specimens(folder: Path) -> None:
    from core.text.specimens import read_specimens

    [specimen.span for specimen in read_specimens(folder / "senses.tsv")]


def open_onnx(folder: Path) -> None:
    from core.exchange.imports import import_any

    ask_run(import_any(folder / "onnx").run)


# making

def make_run(folder: Path) -> None:
    from core import events

    folder.mkdir(parents=True)
    run = saved_run(folder, steps=(10,), probes=(10,))
    writer = events.EventWriter(run.events_path)
    writer.write(events.StepEnd(step=10, loss=1.0, learning_rate=0.1, grad_norm=1.0, tokens=5, tokens_per_s=1.0, progress=1.0, elapsed=1.0,
                                seconds_left=0.0, memory=5, metrics={"mlm_accuracy": 0.5}))
    writer.write(events.EvalEnd(step=10, metrics={"loss": 1.0}))
    writer.write(events.RunFinished(step=10, reason="complete"))
    writer.close()


def make_packed(folder: Path) -> None:
    from core.exchange.pack import pack
    from core.runs import Run

    make_run(folder)
    pack(Run.open(folder / "run0"), folder / "run.lexi")


def make_tokenizers(folder: Path) -> None:
    from core.config import TextConfig
    from core.registry import TOKENIZERS, lookup

    folder.mkdir(parents=True)
    for kind in TOKENIZERS:
        config = TextConfig(tokenizer=kind, vocab_size=400, min_count=1, watched=("苹果",))
        lookup(TOKENIZERS, kind).train(config, TEXTS * 3).save(folder / f"{kind}.json")


def make_model(family: str) -> Callable[[Path], None]:
    """As others save it: without what our own exports hold beside."""
    def made(folder: Path) -> None:
        import torch

        from core import checkpoints
        from core.exchange.huggingface.export import export
        from core.registry import TOKENIZERS, load, lookup
        from core.registry import family as family_named
        from core.runs import Run
        from tests.helpers.runs import make_run as new_run

        folder.mkdir(parents=True)
        kind = "wordpiece" if family == "bert" else "bpe"
        run: Run = new_run(folder / "made", family, tokenizer=kind, vocab_size=400, watched=())
        tokenizer = lookup(TOKENIZERS, kind).train(run.config.text, TEXTS * 3)
        tokenizer.save(run.tokenizer_path)
        torch.manual_seed(0)
        network = load(family_named(family).pretrain).build(run.config, tokenizer.vocab_size)
        checkpoints.save(run, checkpoints.Checkpoint(step=1, model=network.state_dict(), optimizer={}, state={"step": 1, "best": False}))
        export(run, folder / "model", {}, lambda share, words: None)
        for name in ("lexiscope.json", "lexiscope_tokenizer.json"):
            (folder / "model" / name).unlink()
        shutil.rmtree(folder / "made")

    return made


def make_finetuned(family: str, task: str) -> Callable[[Path], None]:
    """The same with a head instead of the language model's."""
    def made(folder: Path) -> None:
        import json

        import torch
        from safetensors.torch import load_file, save_file

        make_model(family)(folder)
        path = folder / "model" / "config.json"
        raw = json.loads(path.read_text(encoding="utf-8"))
        names = ["O", "B-FRUIT", "I-FRUIT"] if task == "Token" else ["good", "bad", "neither"]
        path.write_text(json.dumps({**raw, "architectures": [f"{'Bert' if family == 'bert' else 'GPT2'}For{task}Classification"],
                                    "id2label": {str(number): name for number, name in enumerate(names)}}), encoding="utf-8")
        state = load_file(folder / "model" / "model.safetensors")
        size = raw.get("hidden_size") or raw["n_embd"]
        head = "score" if family == "gpt" and task == "Sequence" else "classifier"
        kept = {name: tensor for name, tensor in state.items() if not name.startswith(("cls.", "lm_head"))}
        kept |= {f"{head}.weight": torch.randn(len(names), size)} | ({} if head == "score" else {f"{head}.bias": torch.zeros(len(names))})
        save_file(kept, folder / "model" / "model.safetensors", metadata={"format": "pt"})

    return made


def make_finetuned_run(folder: Path) -> None:
    """The same as a run, with examples of its own."""
    from core.exchange.huggingface.adopt import import_model
    from core.runs import Run
    from core.tasks import data
    from core.tasks.task import Example

    make_finetuned("bert", "Sequence")(folder)
    run = Run.open(import_model(folder / "model", folder / "run0").run)
    examples = [Example(line=number, texts=(text,), label=label) for number, (text, label) in enumerate(zip(TEXTS, ("good", "bad"), strict=True))]
    data.write(run.path, examples, examples, data.read_labels(run), {"problems": [], "skipped": {}, "columns": {}})
    shutil.rmtree(folder / "model")
    shutil.rmtree(run.path / "huggingface")


def make_vectors(kind: str) -> Callable[[Path], None]:
    def made(folder: Path) -> None:
        from core.exchange.vectors import files as vector_files
        from core.exchange.vectors import projector

        folder.mkdir(parents=True)
        words = [*WORDS, *(f"word{number}" for number in range(40))]
        array = np.random.default_rng(0).standard_normal((len(words), 6)).astype(np.float32)
        if kind == "text":
            vector_files.save_text(folder / "v.txt", words, array)
        elif kind == "binary":
            vector_files.save_binary(folder / "v.bin", words, array)
        elif kind == "npy":
            vector_files.save_npy(folder / "v.npy", words, array)
        elif kind == "npz":
            np.savez_compressed(folder / "v.npz", words=np.array(words), vectors=array)
        else:
            projector.save(folder / "p", words, array, {"sense": words})

    return made


def make_specimens(folder: Path) -> None:
    folder.mkdir(parents=True)
    write_specimens(folder / "senses.tsv")


def make_onnx(folder: Path) -> None:
    from core.exchange.exports import export

    make_run(folder)
    export(str(folder / "run0"), "onnx", str(folder / "onnx"), {})


KINDS = {
    "hf bert": Kind(make_model("bert"), open_model, ("model/*",)),
    "hf gpt2": Kind(make_model("gpt"), open_model, ("model/*",)),
    "hf finetuned bert": Kind(make_finetuned("bert", "Sequence"), open_finetuned, ("model/config.json", "model/model.safetensors")),
    "hf finetuned gpt2": Kind(make_finetuned("gpt", "Token"), open_finetuned, ("model/config.json", "model/model.safetensors")),
    "finetuned run": Kind(make_finetuned_run, open_finetuned_run, ("run0/*.*", "run0/checkpoints/*/*")),
    "tokenizer.json": Kind(make_model("bert"), open_model, ("model/tokenizer.json", "model/tokenizer_config.json")),
    "word2vec text": Kind(make_vectors("text"), open_vectors("v.txt"), ("v.txt",)),
    "word2vec binary": Kind(make_vectors("binary"), open_vectors("v.bin"), ("v.bin",)),
    "projector": Kind(make_vectors("projector"), open_vectors("p"), ("p/*",)),
    "npy": Kind(make_vectors("npy"), open_vectors("v.npy"), ("v.*",)),
    "npz": Kind(make_vectors("npz"), open_vectors("v.npz"), ("v.npz",)),
    "packed run": Kind(make_packed, open_packed, ("run.lexi",)),
    "run folder": Kind(make_run, open_run, ("run0/*.*", "run0/probes/*", "run0/checkpoints/*/*")),
    "our tokenizer": Kind(make_tokenizers, open_tokenizer, ("*.json",)),
    "specimens": Kind(make_specimens, open_specimens, ("senses.tsv",)),
    "onnx": Kind(make_onnx, open_onnx, ("onnx/*.*", "onnx/run/*")),
}


def make_good(kind: str, folder: Path) -> None:
    if not folder.exists():
        KINDS[kind].make(folder)
