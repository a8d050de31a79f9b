"""Verbs about the senses of a word beyond their measures: the film, a figure, which words decide, and probes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.cli import columns
from core.cli.parser import Number
from core.errors import UserError
from core.i18n import sentences, tr
from core.pictures import palette
from core.runs import Run
from core.text.specimens import Specimen, read_specimens

FIGURE_INCHES = (3.0, 3.6)  # of one run in the figure


def add_verbs(verb: Callable[[str, Callable[[Any], int | None], str], argparse.ArgumentParser]) -> None:
    add = verb("film", film, tr("the training of several runs as a film of a word's senses"))
    add_runs_and_sentences(add)
    add.add_argument("--out", type=Path, required=True, metavar="FILE", help=tr("a .svg that moves by itself"))
    add_place_aside(add)

    add = verb("words", words, tr("which words of a sentence decide what its word means"))
    add_runs_and_sentences(add)
    add.add_argument("--text", required=True, help=tr("the sentence"))
    add.add_argument("--layer", type=Number(least=0), default=-1, help=tr("0 is the embedding layer; without it the last one"))
    add.add_argument("--json", action="store_true")

    add = verb("probe", probe, tr("what a linear probe reads off each layer, beside its control task"))
    add.add_argument("runs", type=Path, nargs="+", metavar="DIR")
    add.add_argument("--labels", type=Path, required=True, metavar="FILE.tsv", help=tr("columns word, text and label (or sense)"))
    add.add_argument("--json", action="store_true")


def add_place_aside(add: argparse.ArgumentParser) -> None:
    add.add_argument("--place-aside", action="store_true",
                     help=tr("draw each vector less the mean of those whose word stands first, last or between"))


def _titled(text: str, aside: bool) -> str:
    """What a picture says of its vectors, and that their places were set aside."""
    return f"{text} · {tr('place aside')}" if aside else text


def add_runs_and_sentences(add: argparse.ArgumentParser) -> None:
    add.add_argument("runs", type=Path, nargs="+", metavar="DIR")
    add.add_argument("--sentences", type=Path, metavar="SENSES.tsv",
                     help=tr("labelled sentences; without it those the run watched, or the built-in ones"))
    add.add_argument("--word", help=tr("this word only"))


def specimens_of(run: Run, sentences: Path | None, word: str | None) -> list[Specimen]:
    """Those of the file, else those that the run watched, else the built-in ones, all of one word; of `word`, if it is given. UserError where
    there are none."""
    from core.text import builtin

    if sentences:
        found = [item for item in read_specimens(sentences) if not word or item.word == word]
    else:
        word = word or run.config.watch.word or builtin.STARS[run.config.text.corpus]
        watched = read_specimens(run.specimens_path) if run.specimens_path.exists() else []
        known = (watched, *(builtin.specimens(language, word) for language in builtin.STARS))
        found = next((mine for group in known if (mine := [item for item in group if item.word == word])), [])
    if not found:
        raise UserError(tr("There is no labelled sentence for '{word}'.", word=word or ""), tr("Give a file that has some with --sentences."))
    return found


def require_one_word(specimens: Sequence[Specimen]) -> str:
    """That word. UserError where there are several."""
    several = list(dict.fromkeys(item.word for item in specimens))
    if len(several) > 1:
        raise UserError(tr("The sentences are of several words: {words}.", words=", ".join(several)), tr("Choose one with --word."), where="word")
    return several[0]


def require_layer(run: Run, layer: int) -> None:
    """UserError where the run has no such layer; below 0 is the last one."""
    if layer > _deepest(run):
        raise UserError(tr("There is no layer {layer}; {name} has the layers 0 to {last}.", layer=layer, name=run.name, last=_deepest(run)),
                        tr("Choose one of them."), where="layer")


def _deepest(run: Run) -> int:
    return getattr(run.config.model, "num_layers", 0)


def film(parsed: argparse.Namespace) -> None:
    from core.analysis import film as courses
    from core.analysis import window
    from core.pictures import film as films
    from core.text import builtin

    if parsed.out.suffix.lower() != ".svg":
        raise UserError(tr("The command line writes a film as .svg."), tr("GIF, WebP and PNG leave from the window: Senses, Film."), where="out")
    opened = [Run.open(path) for path in parsed.runs]
    specimens = specimens_of(opened[0], parsed.sentences, parsed.word)
    word, reels = require_one_word(specimens), []
    for place, run in enumerate(opened):
        layer = _deepest(run)
        replay = window.replay(str(run.path), specimens, layer, aside=parsed.place_aside)
        if not replay["steps"]:
            raise UserError(tr("{name}: no probe and no checkpoint yet.", name=run.name), tr("Train it first."))
        auc = courses.course(str(run.path), specimens, layer, aside=parsed.place_aside)["auc"]
        colours = palette.LIGHT.runs
        reels.append(films.Reel(title=_titled(run.name, parsed.place_aside), colour=colours[place % len(colours)], steps=replay["steps"],
                                xy=replay["xy"], auc=auc, groups=replay["groups"]))
    names, symbols = list(dict.fromkeys(item.sense for item in specimens)), list(films.SHAPES)
    senses = [(builtin.sense_title(word, name), palette.LIGHT.senses[place % len(palette.LIGHT.senses)], symbols[place % len(symbols)])
              for place, name in enumerate(names)]
    films.write_svg(films.Film(title=word, reels=reels, senses=senses, categories=[names.index(item.sense) for item in specimens]),
                    parsed.out)
    print(tr("Saved as {path}.", path=parsed.out))


def words(parsed: argparse.Namespace) -> None:
    from core.analysis.occlusion import BY_MASK, occlusion_of_run
    from core.text import builtin

    opened = [Run.open(path) for path in parsed.runs]
    specimens = specimens_of(opened[0], parsed.sentences, parsed.word)
    word, made = require_one_word(specimens), []
    require_layer(max(opened, key=_deepest), parsed.layer)  # of the others their last one
    for run in opened:
        layer = _deepest(run) if parsed.layer < 0 else min(parsed.layer, _deepest(run))
        found = occlusion_of_run(str(run.path), specimens, parsed.text, word, layer)
        changes = [{"word": parsed.text[start:end], "change": change} for (start, end), change in zip(found["words"], found["changes"], strict=True)]
        made.append({"run": run.name, "sense": found["sense"], "score": found["score"], "same": found["same"],
                     "hidden_by": found["how"], "words": changes})
    if parsed.json:
        print(json.dumps(made, ensure_ascii=False, indent=1))
        return
    print(tr("Score: the cosine with the own sense's centroid less the other's. Each word is hidden once: with + it spoke for the sense, "
             "with - against it."))
    for item in made:
        if item["same"]:
            print(f"\n{item['run']} · {tr('Nothing changes: “{word}” has the same vector whatever is hidden.', word=word)}")
            continue
        how = tr("Hidden words are replaced by [MASK].") if item["hidden_by"] == BY_MASK else \
            tr("Hidden words are taken out: this model has never seen a gap.")
        sense = builtin.sense_title(word, item["sense"])
        print("\n" + sentences(tr("{run}: {sense}, score {score:.3f}.", run=item["run"], sense=sense, score=item["score"]), how))
        for one in sorted(item["words"], key=lambda one: -(one["change"] or 0.0)):
            print(f"  {'–' if one['change'] is None else format(one['change'], '+.3f'):>8}  {one['word']}")


def probe(parsed: argparse.Namespace) -> None:
    from core.analysis.probe import BY_TYPE, probe_of_run

    made = [{"run": run.name, **probe_of_run(str(run.path), (), str(parsed.labels))} for run in map(Run.open, parsed.runs)]
    if parsed.json:
        print(json.dumps(made, ensure_ascii=False, indent=1))
        return
    for item in made:
        labels = ", ".join(f"{name} {count}" for name, count in item["labels"].items())
        print(f"\n{item['run']} · {labels} · {tr('always the most frequent label {share:.0%}', share=item['majority'])}")
        print("  " + columns.left(tr("layer"), 8) + columns.right(tr("accuracy"), 10) + columns.right(tr("control"), 10)
              + columns.right(tr("selectivity"), 13))
        for layer, figures in enumerate(item["layers"]):
            print(f"  {layer:<8}{figures['accuracy']:>10.3f}{figures['control']:>10.3f}{figures['selectivity']:>13.3f}")
        print("  " + (tr("The control gives each of the {count} words one random label wherever it stands.", count=item["types"])
                      if item["control_by"] == BY_TYPE else tr("With one word only, the control gives each sentence a random label.")))
        if item["few"]:
            print("  " + tr("With so few words the control is easy: each can be learned by heart."))
        if item["left_out"]:
            print("  " + tr("{count} examples are left out: the model does not know the word, or the label is too rare.", count=item["left_out"]))


def save_senses(runs: Sequence[Run], specimens: Sequence[Specimen], path: Path, *, aside: bool = False) -> None:
    """The newest pictures of the last layers side by side, PCA, with their measures. aside: of the vectors with the word's place in the
    sentence set aside, and their measures too. UserError where a run has nothing to show."""
    from core.analysis import layouts, vectors, window
    from core.pictures import figures
    from core.text import builtin

    figures.suffix_of(path)
    word = require_one_word(specimens)
    names = list(dict.fromkeys(item.sense for item in specimens))
    with figures.figure(FIGURE_INCHES[0] * len(runs), FIGURE_INCHES[1]) as drawn:
        for axis, run in zip(drawn.subplots(1, len(runs), squeeze=False)[0], runs, strict=True):
            steps = vectors.source_of(run, specimens).steps
            if not steps:
                raise UserError(tr("{name}: no probe and no checkpoint yet.", name=run.name), tr("Train it first."))
            layer = _deepest(run)
            laid = layouts.layout(str(run.path), specimens, layer, steps[-1], layouts.PCA, aside=aside)
            measured = window.figures(str(run.path), specimens, layer, steps[-1])["place_aside" if aside else "all"]
            one = int(laid["groups"].max()) == 0  # all of them in one point, of no sense
            if one:
                axis.scatter([0], [0], s=40, color=palette.LIGHT.text_soft)
                axis.annotate(tr("{count} sentences,\none point", count=len(specimens)), (0, 0), (0, 14), textcoords="offset points", ha="center")
            for place, name in enumerate(names):
                mine = [number for number, item in enumerate(specimens) if item.sense == name and not one]
                axis.scatter(*laid["xy"][mine].T, s=26, color=palette.LIGHT.senses[place % len(palette.LIGHT.senses)],
                             label=builtin.sense_title(word, name), alpha=0.85, marker=figures.MARKERS[place % len(figures.MARKERS)], linewidths=0)
            axis.set(title=_titled(run.name, aside), xticks=[], yticks=[], aspect="equal")
            quality = laid["quality"]
            badge = "" if quality is None else " · " + tr("trust {trust:.2f} · kept {recall:.0%}", trust=quality["trustworthiness"],
                                                         recall=quality["recall"])
            axis.set_xlabel(f"AUC {measured['auc']:.2f} · {measured['centroid_accuracy']:.0%}{badge}", fontsize=9)
            half = max(*laid["half"], 1e-3) * 1.1
            axis.set(xlim=(-half, half), ylim=(-half, half))
        drawn.suptitle(word)
        drawn.axes[0].legend(loc="upper left", fontsize=9)
        note = figures.save(drawn, path)
    if note:
        print(note, file=sys.stderr)
