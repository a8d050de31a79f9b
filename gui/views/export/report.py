"""What an export says of itself: its files, and for ONNX its errors, its speed and its operators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from core.i18n import tr
from core.shares import percent
from core.sizes import size_words
from gui import theme
from gui.widgets.axes import short
from gui.widgets.labels import Card, button, label, row
from gui.widgets.latency_bars import LatencyBars, Taken
from gui.widgets.rows_table import RowsTable

ROW_HEIGHT = 31
EDGE = 16
MOST_ROWS_SHOWN = 10


class ExportReport(QScrollArea):
    """report: as an export function returns it; see core/exchange/exports.py. on_bench: called to put the export on the bench, or None."""

    def __init__(self, report: dict[str, Any], on_bench: Any = None) -> None:
        super().__init__(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._path = Path(report["path"])
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, theme.S, theme.S)
        column.setSpacing(theme.M)
        column.addWidget(self._summary(report, on_bench))
        for name, model in report.get("models", {}).items():
            column.addWidget(self._model(name, model))
        column.addWidget(self._files(report))
        column.addStretch(1)
        self.setWidget(page)

    def _summary(self, report: dict[str, Any], on_bench: Any) -> Card:
        card = Card(tr("Done"))
        where = label(str(self._path), "soft", wrap=True)
        where.setTextInteractionFlags(where.textInteractionFlags() | where.textInteractionFlags().TextSelectableByMouse)
        card.column.addWidget(where)
        size, count = size_words(sum(report["files"].values())), len(report["files"])
        facts = [size if count == 1 else tr("{size} in {count} files", size=size, count=count)]
        if "relative" in report:
            facts.append(tr("greatest error {absolute:.1e}; at worst {relative:.1e} of its tensor's greatest number (allowed: {tolerance:g})",
                            absolute=report["absolute"], relative=report["relative"], tolerance=report["tolerance"]))
            if report["top1"] is not None:
                facts.append(tr("same likeliest token or label as torch's in {share} of {places:,} places (allowed: {least:.1%} and more); "
                                "{worst} at the worst shape", share=percent(report["agreement"]), places=report["places"], least=report["least"],
                                worst=percent(report["top1"])))
        if report.get("agreement") is not None and report["precision"] != "fp32":
            facts.append(tr("The price of {precision}: {count} of 1,000 answers are others than torch's, and a number may be off by "
                            "{relative} of the greatest.",
                            precision=report["precision"], count=short(1000 * (1 - report["agreement"])), relative=percent(report["relative"])))
        for fact in facts:
            card.column.addWidget(label(fact, wrap=True))
        for item in report.get("rows", ()):
            card.column.addWidget(label(f"{item['title']}: {item['value']}", "soft", wrap=True))
        parts: list[QWidget | None] = [button(" " + tr("Open the folder"), self._open, icon="folder")]
        if on_bench is not None:
            parts.append(button(" " + tr("Put it on the bench"), on_bench, icon="plus",
                                tip=tr("Its answers then come from ONNX Runtime, beside those of torch.")))
        card.column.addWidget(row(*parts, None))
        return card

    def _model(self, name: str, model: dict[str, Any]) -> Card:
        card = Card(f"{name}.onnx")
        axes = " × ".join(model["rows"][0]["shape"])
        card.column.addWidget(label(tr("Compared with torch at {count} shapes ({axes})", count=len(model["rows"]), axes=axes), "soft", wrap=True))
        table = RowsTable([tr("shape"), tr("absolute error"), tr("relative error"), tr("same top 1"), tr("relatively worst output")], stretch=4)
        table.set_rows([(" × ".join(map(str, item["shape"].values())), f"{item['absolute']:.2e}", f"{item['relative']:.2e}",
                         "–" if item["top1"] is None else percent(item["top1"]), item["worst"]) for item in model["rows"]])
        fit(table, len(model["rows"]))
        card.column.addWidget(table)
        self.tables = [*getattr(self, "tables", []), table]
        for item in model["latency"]:
            shape = " × ".join(map(str, item["shape"].values()))
            words = tr("{times:.1f} times as fast as torch on {provider}, shape {shape}", times=item["speedup"], provider=item["provider"],
                       shape=shape)
            card.column.addWidget(label(words, wrap=True))
            bars = LatencyBars()
            look = theme.current()
            bars.set_rows([Taken(title=tr("{name}, threads: {threads}", name=name, threads=item[key]["threads"]), p50=item[key]["p50"],
                                 p95=item[key]["p95"], colour=colour)
                           for key, name, colour in (("torch", "torch", look.text_faint), ("onnxruntime", "ONNX Runtime", look.accent))])
            card.column.addWidget(bars)
        operators = ", ".join(f"{operator} {count}" for operator, count in model["operators"].items())
        card.column.addWidget(label(tr("Operators (opset {opset}): {names}", opset=model["opset"], names=operators), "soft", wrap=True))
        if model["only_onnxruntime"]:
            card.column.addWidget(label(tr("Only ONNX Runtime knows: {names}", names=", ".join(model["only_onnxruntime"])), "warning", wrap=True))
        return card

    def _files(self, report: dict[str, Any]) -> Card:
        card = Card(tr("Files"))
        table = RowsTable([tr("file"), tr("size")], stretch=0)
        table.set_rows([(name, size_words(size)) for name, size in report["files"].items()])
        fit(table, len(report["files"]))
        card.column.addWidget(table)
        return card

    def _open(self) -> None:
        folder = self._path if self._path.is_dir() else self._path.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def fit(table: RowsTable, rows: int) -> None:
    """As high as its rows, as far as that is sensible."""
    table.verticalHeader().setDefaultSectionSize(theme.scaled(ROW_HEIGHT))
    table.setFixedHeight(table.horizontalHeader().sizeHint().height() + min(rows, MOST_ROWS_SHOWN) * theme.scaled(ROW_HEIGHT) + EDGE)
