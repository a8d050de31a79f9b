"""Random models of transformers with vocabularies of their own, saved as people find them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXTS = ["妈妈买了一个苹果。小李觉得苹果很甜。", "老师看苹果的发布会，店员在苹果上班。", "The quick brown fox jumps over the lazy dog, isn't it?",
         "She bought apples; he sold the company's shares in 2024.", "Café au lait — naïve coöperation, ÜBER."] * 3
VOCABULARY = 400


def wordpiece(lowercase: bool = True) -> Tokenizer:
    """As BERT's, its special tokens first and some unused ones after them."""
    specials = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(lowercase=lowercase), pre_tokenizers.BertPreTokenizer()
    made.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=specials, show_progress=False))
    made.decoder = decoders.WordPiece()
    cls, sep = (("[CLS]", made.token_to_id("[CLS]")), ("[SEP]", made.token_to_id("[SEP]")))
    made.post_processor = processors.BertProcessing(sep, cls)
    return made


def byte_pairs(specials: list[str], space: bool = False) -> Tokenizer:
    """As GPT-2's or RoBERTa's."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=space)
    made.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=specials, show_progress=False,
                                                        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    made.decoder = decoders.ByteLevel()
    if "<s>" in specials:
        made.post_processor = processors.RobertaProcessing(("</s>", made.token_to_id("</s>")), ("<s>", made.token_to_id("<s>")))
    return made


def save_model(folder: Path, architecture: str, *, tokenizer: Tokenizer | None = None, seed: int = 0, **options: Any) -> Any:
    """A transformers model of that class, with random weights larger than usual so that every part shows, saved with its tokenizer."""
    import transformers

    kind = next(name for name in ("Roberta", "Bert", "GPT2") if architecture.startswith(name))
    specials: dict[str, str] = {}
    if tokenizer is None:
        roberta = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        tokenizer = wordpiece() if kind == "Bert" else byte_pairs(roberta if kind == "Roberta" else ["<|endoftext|>"])
    if kind == "Bert":
        specials = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]", "pad_token": "[PAD]"}
    elif kind == "Roberta":
        specials = {"unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>", "pad_token": "<pad>", "bos_token": "<s>",
                    "eos_token": "</s>"}
    else:
        specials = {"unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64} if kind == "GPT2" else {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 66}
    names = {"Roberta": {"pad_token_id": 1, "type_vocab_size": 1}, "GPT2": {"bos_token_id": 0, "eos_token_id": 0}}.get(kind, {})
    model_options = {name: options.pop(name) for name in ("add_pooling_layer",) if name in options}
    config = getattr(transformers, f"{kind}Config")(**{"vocab_size": tokenizer.get_vocab_size() + 3, **sizes, **names, "attn_implementation": "eager",
                                                       **options})
    torch.manual_seed(seed)
    model = getattr(transformers, architecture)(config, **model_options).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **specials).save_pretrained(folder)
    return model
