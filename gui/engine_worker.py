"""The analysis process: reads calls from its standard input, answers on its standard output. Imports no Qt.

A frame is 8 bytes of length (big-endian) and a pickle; both ends are our own program. From the window come
("call", number, "module:function", keywords, language), ("cancel", number); back go ("done", number, result),
("progress", number, arguments), ("error", number, message, hint, where, traceback).

A function that has the parameter `on_progress` is given one that sends its arguments to the window; one that has `cancelled`
is given one that returns True when the answer is no longer wanted. Where it has only the first, that one raises Cancelled then, so that
the function clears up behind itself.
"""

from __future__ import annotations

import inspect
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

from core import i18n, registry
from core.errors import UserError, refused_by_system
from core.i18n import tr

LENGTH_BYTES = 8
IDLE_SECONDS = 0.3
GET_READY = "core.analysis.window:get_ready"


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


def write_frame(file: BinaryIO, message: tuple) -> None:
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    file.write(len(data).to_bytes(LENGTH_BYTES, "big"))
    file.write(data)
    file.flush()


def read_frame(file: BinaryIO) -> tuple | None:
    """None at the end of the stream, also where it ends in the middle of a frame."""
    head = file.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    data = file.read(size)
    return pickle.loads(data) if len(data) == size else None


def main() -> int:
    """Serve until the window closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the window, which may ask before it ends
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not land between the frames
    calls: queue.Queue[tuple | None] = queue.Queue()
    dropped: set[int] = set()
    threading.Thread(target=_listen, args=(source, calls, dropped), daemon=True).start()
    while (call := _next(calls)) is not None:
        number, place, keywords, language = call
        i18n.set_language(language)
        try:
            write_frame(target, _answer(number, place, keywords, target, dropped))
        except BrokenPipeError:
            os._exit(0)  # the window is gone
    return 0


def _next(calls: queue.Queue[tuple | None]) -> tuple | None:
    """The next call. While the window asks nothing, what most questions need is loaded, beside those that come meanwhile and need none of it."""
    try:
        return calls.get(timeout=IDLE_SECONDS)
    except queue.Empty:
        threading.Thread(target=_get_ready, daemon=True).start()  # a second time there is nothing left to do
        return calls.get()


def _get_ready() -> None:
    with suppress(Exception):  # who needs what cannot be loaded will say so
        registry.load(GET_READY)()


def _listen(source: BinaryIO, calls: queue.Queue, dropped: set[int]) -> None:
    while (message := read_frame(source)) is not None:
        if message[0] == "cancel":
            dropped.add(message[1])
        else:
            calls.put(message[1:])
    calls.put(None)
    os._exit(0)  # the window is gone: nobody waits for the answer that may still be computed


def _answer(number: int, place: str, keywords: dict[str, Any], target: BinaryIO, dropped: set[int]) -> tuple:
    try:
        function: Callable = registry.load(place)
        known = inspect.signature(function).parameters
        deaf = "cancelled" not in known

        def progress(*values: Any) -> None:
            if deaf and number in dropped:
                raise Cancelled
            write_frame(target, ("progress", number, values))

        if "on_progress" in known:
            keywords["on_progress"] = progress
        if "cancelled" in known:
            keywords["cancelled"] = lambda: number in dropped
        return ("done", number, function(**keywords))
    except UserError as error:
        return ("error", number, error.message, error.hint, error.where, "")
    except Cancelled:
        return ("done", number, None)
    except OSError as error:
        with suppress(OSError, ValueError, AttributeError):  # there may be no terminal
            traceback.print_exc()
        refused = refused_by_system(error)
        return ("error", number, refused.message, refused.hint, "", "")
    except MemoryError:
        return ("error", number, tr("The memory is not enough for this."), tr("Take fewer specimens or a smaller model."), "", "")
    except Exception as error:
        words = tr("The analysis failed: {reason}.", reason=f"{type(error).__name__}: {error}")
        return ("error", number, words, "", "", traceback.format_exc())


if __name__ == "__main__":
    sys.exit(main())
