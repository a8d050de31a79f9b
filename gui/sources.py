"""What a run learns from, in words."""

from __future__ import annotations

from pathlib import Path

from core.i18n import tr
from core.registry import task
from core.runs import Run


def source_of(run: Run, *, whole: bool = False) -> str:
    """Its text, or its task and the file of labelled examples. whole: with the folders, a file a line."""
    finetune = run.config.task
    if finetune is not None:
        file = (finetune.train_file if whole else Path(finetune.train_file).name) or tr("imported")
        return f"{tr(task(finetune.task).title)}: {file}"
    files = run.config.text.files
    if not files:
        if run.imported:
            return tr("imported")
        return tr("built-in Chinese") if run.config.text.corpus == "zh" else tr("built-in English")
    return "\n".join(files) if whole else ", ".join(path.replace("\\", "/").rpartition("/")[2] for path in files)
