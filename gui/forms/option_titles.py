"""What the options and their choices are called in the window. The names in config.json and on the command line stay English."""

from __future__ import annotations

import re
from functools import lru_cache

from core.errors import UserError
from core.i18n import language, tr

# hidden_size, which is no word of any sentence; not where it is quoted, or part of a path
LONG_NAME = re.compile(r"(?<![\w./\\'“-])[a-z]+(?:_[a-z0-9]+)+(?![\w/\\'”=]|[.-]\w)", re.ASCII)
BETWEEN_CHINESE = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")


def in_titles(text: str) -> str:
    """The text with titles in place of the options' names, which only the command line shows."""
    titles = option_titles()
    return BETWEEN_CHINESE.sub("", LONG_NAME.sub(lambda found: titles.get(found[0], found[0]), text))


def error_in_titles(error: UserError) -> str:
    """What a form says of it. A name of one word is taken for one only where the sentence is about it: "steps is -1"."""
    name, text = error.where.rpartition(".")[2], str(error)
    return in_titles(option_title(name) + text[len(name):] if name and text.startswith(f"{name} ") else text)


def option_title(name: str) -> str:
    """The words for an option; one that is not listed is spelled out: "grad_clip" becomes "Grad clip"."""
    return option_titles().get(name) or name.replace("_", " ").strip().capitalize()


def option_titles() -> dict[str, str]:
    """All that are listed, in the language of the moment."""
    return _option_titles(language())


@lru_cache  # a form asks for each of its options, several times
def _option_titles(_language: str) -> dict[str, str]:
    return {
        "files": tr("Files"), "corpus": tr("Built-in text"), "columns": tr("Columns"), "encoding": tr("Encoding"),
        "documents": tr("Documents"), "tokenizer": tr("Tokenizer"), "vocab_size": tr("Vocabulary size"),
        "min_count": tr("Least count"), "lowercase": tr("Lower case"), "watched": tr("Kept words"),
        "valid_percent": tr("Validation share (%)"),
        "steps": tr("Steps"), "epochs": tr("Epochs"), "minutes": tr("Minutes"), "batch_size": tr("Batch size"),
        "micro_batch_size": tr("Micro-batch size"), "seq_len": tr("Sequence length"), "optimizer": tr("Optimizer"),
        "learning_rate": tr("Learning rate"), "muon_learning_rate": tr("Learning rate of Muon"),
        "weight_decay": tr("Weight decay"), "schedule": tr("Schedule"), "warmup": tr("Warm-up share"),
        "grad_clip": tr("Gradient clipping"), "patience": tr("Patience"), "evals": tr("Validations"),
        "eval_batches": tr("Validation batches"), "checkpoints": tr("Checkpoints"), "probes": tr("Probes"),
        "device": tr("Device"), "precision": tr("Precision"),
        "threads": tr("CPU threads"), "processes": tr("Processes"), "seed": tr("Seed"),
        "word": tr("Word"), "specimens": tr("Specimens"), "sentence": tr("Sentence"), "name": tr("Name"),
        "num_layers": tr("Layers"), "num_heads": tr("Attention heads"), "hidden_size": tr("Hidden size"),
        "intermediate_size": tr("Feed-forward width"), "max_seq_len": tr("Longest input"), "dropout": tr("Dropout"),
        "cell_size": tr("LSTM cells"), "embedding": tr("Token's vector from"), "max_characters": tr("Characters per token"),
        "sampled_softmax": tr("Sampled softmax"),
        "embedding_size": tr("Embedding size"), "projection_size": tr("Projection size"), "dim": tr("Vector length"),
        "norm": tr("Normalisation"), "activation": tr("Activation"), "tie_embeddings": tr("Tied embeddings"),
        "mask_percent": tr("Masked share (%)"), "mask_token_percent": tr("Replaced by [MASK] (%)"),
        "random_token_percent": tr("Replaced at random (%)"), "random_tokens": tr("Random tokens from"), "whole_word": tr("Whole words"),
        "next_sentence": tr("Next sentence"), "objective": tr("Objective"), "algorithm": tr("Algorithm"),
        "window": tr("Window"), "negative": tr("Negative samples"),
        "sample": tr("Subsampling"), "ns_exponent": tr("Exponent of the negatives"), "shrink_window": tr("Shrinking window"),
        "first_vectors": tr("Starting vectors"), "first_attention": tr("Starting attention"), "pre_norm": tr("Normalise first"),
        "column_text": tr("Text column"), "column_text_b": tr("Second text column"), "column_label": tr("Label column"),
        "labels": tr("Labelled examples"), "label_kind": tr("Kind of label"), "from_scratch": tr("From scratch"), "unfreeze": tr("Layers that learn"),
        "layer_lr_decay": tr("Slower from layer to layer"), "head_rate": tr("Rate of what is new"), "task_dropout": tr("Dropout of the head"),
        "label_smoothing": tr("Label smoothing"), "class_weights": tr("Weigh rare labels"), "lm_weight": tr("Language-model loss (λ)"),
        "pooling": tr("What stands for a text"), "network": tr("Task network"), "lstm_size": tr("LSTM cells"), "mix": tr("Mix of layers"),
        "mix_place": tr("Where the mix enters"), "mix_layer_norm": tr("Normalise layers"), "mix_l2": tr("Pull to an even mix"),
        "own_embedding": tr("Own embedding"), "order": tr("Order of a pair"), "crf": tr("CRF"), "stride": tr("Overlap of windows"),
        "max_answer": tr("Longest answer"),
    }


def choice_title(name: str, value: str) -> str:
    """The words for a choice of an option; a name of the field (adamw, cbow) stays as it is."""
    return _choice_titles(language()).get((name, value), value)


@lru_cache
def _choice_titles(_language: str) -> dict[tuple[str, str], str]:
    return {
        ("corpus", "zh"): tr("Chinese"), ("corpus", "en"): tr("English"),
        ("encoding", "auto"): tr("Recognise it"), ("device", "auto"): tr("The best there is"),
        ("precision", "auto"): tr("The best there is"),
        ("documents", "line"): tr("A line each"), ("documents", "paragraph"): tr("A paragraph each"),
        ("tokenizer", "auto"): tr("As the text needs"), ("tokenizer", "char"): tr("Characters"), ("tokenizer", "word"): tr("Words"),
        ("tokenizer", "word_char"): tr("Words, rare ones by their characters"),
        ("tokenizer", "bpe"): tr("Byte-pair encoding"), ("tokenizer", "wordpiece"): tr("WordPiece"),
        ("optimizer", "adamw"): tr("AdamW"), ("optimizer", "muon"): tr("Muon"),
        ("schedule", "linear"): tr("Linear"), ("schedule", "cosine"): tr("Cosine"), ("schedule", "constant"): tr("Constant"),
        ("device", "cuda"): tr("GPU (CUDA)"), ("device", "mps"): tr("GPU (Apple)"), ("device", "cpu"): tr("CPU"),
        ("label_kind", "auto"): tr("Recognise it"), ("label_kind", "nominal"): tr("A name"), ("label_kind", "number"): tr("A number"),
        ("unfreeze", "auto"): tr("As its paper does"), ("unfreeze", "none"): tr("None: all is frozen"), ("unfreeze", "all"): tr("All"),
        ("unfreeze", "gradual"): tr("One by one, from the top"),
        ("pooling", "auto"): tr("As its paper does"), ("pooling", "first"): tr("Its first token"), ("pooling", "last"): tr("Its last token"),
        ("pooling", "mean"): tr("The mean"), ("pooling", "max"): tr("The maximum"),
        ("network", "auto"): tr("As its paper does"), ("network", "none"): tr("None"), ("network", "bilstm"): "BiLSTM",
        ("mix", "auto"): tr("For ELMo"), ("mix", "on"): tr("on"), ("mix", "off"): tr("off"),
        ("mix_place", "input"): tr("At the input"), ("mix_place", "output"): tr("At the output"), ("mix_place", "both"): tr("At both"),
        ("order", "auto"): tr("Both for numbers"), ("order", "given"): tr("As given"), ("order", "both"): tr("Both, summed"),
        ("random_tokens", "vocabulary"): tr("The vocabulary"), ("random_tokens", "text"): tr("The text"),
        ("first_attention", "random"): tr("At random"), ("first_attention", "neighbours"): tr("At near tokens"),
        ("first_vectors", "random"): tr("At random"), ("first_vectors", "cooccurrence"): tr("From neighbours in the text"),
        ("embedding", "token"): tr("One for each token"), ("embedding", "char_cnn"): tr("Character CNN"),
        ("objective", "cbow"): "CBOW", ("objective", "skip_gram"): "Skip-gram",
    }
