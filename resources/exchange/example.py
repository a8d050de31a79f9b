"""Runs the model of this folder. It needs three packages: pip install onnxruntime numpy tokenizers
and, where the model reads Chinese words, a fourth that finds them: pip install rjieba

    python example.py "a text"                     one text
    python example.py "a text" "another text"      a pair of texts; a question and its passage
    python example.py "a passage" "a question" --choices "first answer" "second answer" ...

What it prints depends on what the model has learnt; see config.json.
"""

# ruff: noqa: T201
import argparse
import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

FOLDER = Path(__file__).resolve().parent
CONFIG = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
TOKENIZER = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))


def open_model(name):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # On a GPU: providers=["CUDAExecutionProvider", "CPUExecutionProvider"]
    return onnxruntime.InferenceSession(str(FOLDER / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])


def run(session, **arrays):
    """The outputs by name."""
    wanted = {item.name for item in session.get_inputs()}
    names = [item.name for item in session.get_outputs()]
    return dict(zip(names, session.run(names, {name: array for name, array in arrays.items() if name in wanted})))


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def show(token):
    return TOKENIZER.decode([int(token)]) or TOKENIZER.id_to_token(int(token))


def likeliest(logits, k=5):
    """The k likeliest tokens, none of them a special one."""
    logits = logits.copy()
    logits[list(CONFIG["special_tokens"].values())] = -np.inf
    chances = softmax(logits)
    return "  ".join(f"{show(token)} {chances[token]:.3f}" for token in np.argsort(-chances)[:k])


def cut(text):
    """The text with its Chinese words apart, as they were when the model was trained. Watched words stand alone, whatever they are a part of."""
    rules = CONFIG["tokenizer"].get("cut")
    runs = list(re.finditer(f"[{rules['han']}]+", text)) if rules else []
    if not runs:
        return text
    try:
        import rjieba
    except ImportError:
        print("Note: rjieba is not there (pip install rjieba). Separate Chinese words by spaces.")
        return text
    begins, chinese = set(), {place for run_ in runs for place in range(*run_.span())}
    for run_ in runs:
        place = run_.start()
        for word in rjieba.cut(run_[0], not rules.get("characters")):
            begins.add(place)
            place += len(word)
    plain = set(chinese)  # but for watched words of more than Chinese characters
    for word in re.finditer(rules["watched"], text) if rules["watched"] else ():
        places = set(range(*word.span()))
        begins -= places
        begins |= {word.start(), word.end()}
        plain -= set() if places <= chinese else places
    if rules.get("characters"):  # a word that is not in the vocabulary is read as its characters
        known, edges = TOKENIZER.get_vocab(), sorted(begins | {run_.end() for run_ in runs})
        for begin, end in pairwise(edges):
            if plain.issuperset(range(begin, end)) and text[begin:end] not in known:
                begins |= set(range(begin, end))
    between = {place for place in begins & chinese if place - 1 in chinese}
    return "".join("\n" * (place in between) + letter for place, letter in enumerate(text))


def encode(text, **how):
    return TOKENIZER.encode(cut(text), **how).ids


def read(text):
    """A text as the pretrained model reads it: (1, tokens)."""
    ids = encode(text)[: CONFIG["max_seq_len"]]
    ids = np.array([ids], dtype=np.int64)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}


def words(text):
    session = open_model("model")
    everything = run(session, input_ids=np.arange(CONFIG["vocab_size"], dtype=np.int64)[None])["last_hidden_state"][0]
    length = np.linalg.norm(everything, axis=1, keepdims=True)
    unit = np.divide(everything, length, out=np.zeros_like(everything), where=length > 0)
    for token in encode(text, add_special_tokens=False):
        nearest = np.argsort(-(unit @ unit[token]))[1:6]
        print(f"{show(token)}: " + "  ".join(f"{show(other)} {unit[other] @ unit[token]:.3f}" for other in nearest))


def bert(text):
    inputs = read(text)
    outputs = run(open_model("model"), **inputs)
    gaps = np.flatnonzero(inputs["input_ids"][0] == CONFIG["special_tokens"]["[MASK]"])
    for number, place in enumerate(gaps, start=1):
        print(f"[MASK] {number}: {likeliest(outputs['logits'][0, place])}")
    if not len(gaps):
        print("Write [MASK] in the text to have it filled. Hidden states:", outputs["last_hidden_state"].shape)


def elmo(text):
    outputs = run(open_model("model"), **read(text))
    print("after the text: ", likeliest(outputs["forward_logits"][0, -2]))
    print("before the text:", likeliest(outputs["backward_logits"][0, 1]))
    print("layers mixed evenly:", outputs["mixed"].shape)


def gpt(text, more=40):
    """Each new token costs one step: the keys and values of those before it are kept."""
    session = open_model("decoder")
    unread = read(text)["input_ids"]
    past = {item.name: np.zeros((1, item.shape[1], 0, item.shape[3]), dtype=np.float32)
            for item in session.get_inputs() if item.name.startswith("past.")}
    written, length = [], unread.shape[1]
    print("next:", likeliest(run(session, input_ids=unread, **past)["logits"][0, -1]))
    while len(written) < more and length < CONFIG["max_seq_len"]:
        outputs = run(session, input_ids=unread, **past)
        token = int(outputs["logits"][0, -1].argmax())
        if token == CONFIG["special_tokens"]["[EOS]"]:
            break
        past = {name.replace("present.", "past."): array for name, array in outputs.items() if name.startswith("present.")}
        written, unread, length = [*written, token], np.array([[token]], dtype=np.int64), length + 1
    print(text + TOKENIZER.decode(written))


def row(pattern, texts):
    """ids and segments of texts laid out by a pattern such as [CLS] A [SEP] B [SEP]; the longest text is cut at its end until all fits."""
    encoded = [encode(text, add_special_tokens=False) for text in texts]
    while sum(map(len, encoded)) + len(pattern) - len(texts) > CONFIG["max_seq_len"]:
        max(reversed(encoded), key=len).pop()
    specials = {**CONFIG["special_tokens"], **CONFIG["new_tokens"]}
    ids, segments, segment = [], [], 0
    for item in pattern:
        place = {"A": 0, "B": 1}.get(item)
        segment = int(CONFIG["form"]["segments"] and place == 1) if place is not None else segment
        new = [specials[item]] if place is None else encoded[place]
        ids += new
        segments += [segment] * len(new)
    return ids, segments


def batch(rows):
    """One example of several parts: (1, parts, tokens)."""
    width = max(len(ids) for ids, _ in rows)
    made = {name: np.zeros((1, len(rows), width), dtype=np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
    for part, (ids, segments) in enumerate(rows):
        made["input_ids"][0, part, : len(ids)] = ids
        made["attention_mask"][0, part, : len(ids)] = 1
        made["token_type_ids"][0, part, : len(ids)] = segments
    return made


def parts(texts, choices):
    """The rows of an example, as its task lays them out."""
    single, pair = CONFIG["form"]["single"], CONFIG["form"]["pair"]
    if CONFIG["task"] == "multiple_choice":
        passage, question = texts
        asked = f"{passage}\n{question}"
        if not pair:
            return [row(single, [asked]), *(row(single, [choice]) for choice in choices)]
        if CONFIG["form"]["segments"]:
            return [row(pair, [passage, f"{question} {choice}"]) for choice in choices]
        return [row(pair, [asked, choice]) for choice in choices]
    if len(texts) == 1:
        return [row(single, texts)]
    if not pair:
        return [row(single, [text]) for text in texts]
    return [row(pair, texts), *([row(pair, texts[::-1])] if CONFIG["orders"] == 2 else [])]


def task(texts, choices):
    """A finetuned model."""
    session, name = open_model("model"), CONFIG["task"]
    two = name in ("pair", "span", "multiple_choice")
    if len(texts) != 1 + two or (name == "multiple_choice" and not choices):
        raise SystemExit({"pair": "Give two texts.", "span": "Give a question and a passage.",
                          "multiple_choice": "Give a passage, a question and --choices."}.get(name, "Give one text."))
    inputs = batch(parts(texts, choices))
    if name == "tagging":  # here every token is a unit of its own, save for the special ones around the text
        before = CONFIG["form"]["single"].index("A")
        count = inputs["input_ids"].shape[2] - len(CONFIG["form"]["single"]) + 1
        inputs["units"] = np.arange(before, before + count, dtype=np.int64)[None]
        inputs["unit_places"] = np.zeros_like(inputs["units"])
    logits = run(session, **inputs)["logits"][0]
    if name == "span":
        passage = 0 if CONFIG["form"]["pair"] else 1
        scores = logits[passage]
        mine = np.zeros(len(scores), bool)
        begin = (len(encode(texts[0], add_special_tokens=False)) + CONFIG["form"]["pair"].index("B") - 1
                 if CONFIG["form"]["pair"] else CONFIG["form"]["single"].index("A"))
        mine[begin : begin + len(encode(texts[1], add_special_tokens=False))] = True
        start = int(np.where(mine, scores[:, 0], -np.inf).argmax())
        end = start + int(np.where(mine[start:], scores[start:, 1], -np.inf)[:30].argmax())
        print(TOKENIZER.decode(inputs["input_ids"][0, passage, start : end + 1].tolist()))
    elif name == "tagging":
        for unit, scores in zip(inputs["units"][0], logits):
            print(f"{show(inputs['input_ids'][0, 0, unit])}\t{CONFIG['labels'][int(scores.argmax())]}")
    elif CONFIG["label_kind"] == "number":
        print(float(logits[0] * CONFIG["scale"] + CONFIG["mean"]))
    else:
        names = choices if name == "multiple_choice" else CONFIG["labels"]
        for label, chance in sorted(zip(names, softmax(logits)), key=lambda pair: -pair[1]):
            print(f"{label}\t{chance:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--choices", nargs="+", default=[])
    given = parser.parse_args()
    if CONFIG["tokenizer"]["note"] and not CONFIG["tokenizer"].get("cut"):  # else `cut` sees to it
        print("Note:", CONFIG["tokenizer"]["note"])
    if CONFIG["task"]:
        task(given.texts, given.choices)
    else:
        {"word2vec": words, "bert": bert, "elmo": elmo, "gpt": gpt}[CONFIG["family"]](given.texts[0])


if __name__ == "__main__":
    main()
