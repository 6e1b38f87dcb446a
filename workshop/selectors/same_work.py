"""Whether work that is about to be written stands on the order already (3.1, 3.2)."""

from __future__ import annotations

from collections.abc import Iterable

from dealership.catalogue.models import Operation
from workshop.models import LineState, OrderLine

GONE = (LineState.CANCELLED, LineState.WITHDRAWN)


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()


def same_line(
    lines: Iterable[OrderLine], *, operation: Operation | None, names: Iterable[str] = ()
) -> OrderLine | None:
    """The first of an order's lines that is this work: the same operation, or written down under one of its names.

    Cancelled and withdrawn lines don't count; what the customer declined does: it is offered anew on its own line.
    """
    known = {_plain(name) for name in names}
    if operation is not None:
        known |= {_plain(operation.name), _plain(operation.name_en)}
    known.discard("")
    for line in lines:
        if line.state in GONE:
            continue
        if (operation is not None and line.operation_id == operation.pk) or _plain(line.description) in known:
            return line
    return None
