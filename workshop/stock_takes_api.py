"""Stock-takes of parts over the API (3.2); what the books say is shown when one is closed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Case, DecimalField, F, QuerySet, Value, When

from dealership.kernel.actors import Actor
from dealership.kernel.api.resources import Action, Command, Filter, Many, Resource, register
from dealership.kernel.api.shapes import Choice, ListOf, Moment, Number, Text, Uid
from workshop import permissions
from workshop.models import StockTake, StockTakeLine
from workshop.services import taking_stock
from workshop.stock_take_models import ValueClass
from workshop.tool_models import CountState


def _shown(name: str) -> Case:
    """A column of a line that nobody sees before its stock-take has ended: it is counted blind."""
    number: DecimalField = DecimalField(max_digits=14, decimal_places=2)
    return Case(When(take__state=CountState.COUNTING, then=Value(None)), default=F(name), output_field=number)


def _lines() -> QuerySet:
    return StockTakeLine.objects.annotate(
        shown_first_book=_shown("first_book"), shown_second_book=_shown("second_book"),
        shown_difference=_shown("difference"), shown_value=_shown("value"),
    ).order_by("id")  # fmt: skip


def _count(*, uid: UUID, by: Actor, **facts: Any) -> StockTake:
    return taking_stock.count_line(uid=uid, by=by, **facts).take


def _name(*, uid: UUID, by: Actor, **facts: Any) -> StockTake:
    return taking_stock.name_difference(uid=uid, by=by, **facts).take


_LINE = {
    "part": Text(200, min=1, source="part", help="Number of the part, or what its label says."),
    "bin": Text(200, optional=True, help="Needed where it lies in several bins, or isn't on the list."),
}

register(
    Resource(
        path="stock-takes",
        name="StockTake",
        room="workshop",
        model=StockTake,
        view=permissions.STOCK_COUNT,
        help="A stock-take of parts: counted blind, again by somebody else, booked when it closes (3.2).",
        state="state",
        shape={
            "warehouse_uid": Uid(source="warehouse__uid"),
            "bin_from": Text(),
            "bin_to": Text(),
            "value_class": Choice(choices=ValueClass, null=True),
            "recount_from": Number(2, help="CNY; a difference above it is counted again by somebody else."),
            "approve_from": Number(2, help="CNY; above it nobody who counted closes the stock-take."),
            "state": Choice(choices=CountState),
            "started_at": Moment(),
            "started_by_uid": Uid(source="started_by__uid"),
            "ended_at": Moment(null=True),
            "ended_by_uid": Uid(source="ended_by__uid", null=True),
            "note": Text(),
            "lines": Many(
                rows=_lines,
                by="take_id",
                fields={
                    "bin_uid": Uid(source="place__uid"),
                    "bin": Text(source="place__bin"),
                    "part_uid": Uid(source="place__item__part__uid"),
                    "part_number": Text(source="place__item__part__number"),
                    "first_counted": Number(2, null=True),
                    "first_by_uid": Uid(source="first_by__uid", null=True),
                    "first_at": Moment(null=True),
                    "second_counted": Number(2, null=True),
                    "second_by_uid": Uid(source="second_by__uid", null=True),
                    "second_at": Moment(null=True),
                    "first_book": Number(2, source="shown_first_book", null=True),
                    "second_book": Number(2, source="shown_second_book", null=True),
                    "difference": Number(2, source="shown_difference", null=True),
                    "value": Number(2, source="shown_value", null=True, help="CNY at the mean cost."),
                },
                help="What the books say, the difference and its value are null while it is counted.",
            ),
        },
        filters={
            "state": Filter(field=Choice(choices=CountState), lookup="state"),
            "warehouse_uid": Filter(field=Uid(), lookup="warehouse__uid"),
        },
        create=Command(
            run=taking_stock.start_take,
            permission=permissions.STOCK_COUNT,
            input={
                "warehouse_uid": Uid(),
                "bin_from": Text(20, optional=True),
                "bin_to": Text(20, optional=True),
                "value_class": Choice(choices=ValueClass, optional=True, help="Left out: parts of every value."),
            },
            help="Begin a stock-take: what lies there by the books is the list",
        ),
        actions=(
            Action(
                verb="count",
                run=_count,
                permission=permissions.STOCK_COUNT,
                when={CountState.COUNTING},
                input=_LINE | {"counted": Number(2)},
                help="So much of a part lies in a bin; a second count is somebody else's",
            ),
            Action(
                verb="name",
                run=_name,
                permission=permissions.STOCK_COUNT,
                when={CountState.COUNTING},
                input=_LINE | {"codes": ListOf(inner=Text(40, min=1))},
                help="The batch or serial numbers that are missing or were found",
            ),
            Action(
                verb="close",
                run=taking_stock.close_take,
                permission=permissions.STOCK_COUNT,
                when={CountState.COUNTING},
                input={"note": Text(200, optional=True, help="Needed where something differs.")},
                help="Close it and book the differences",
            ),
            Action(
                verb="cancel",
                run=taking_stock.cancel_take,
                permission=permissions.STOCK_COUNT,
                when={CountState.COUNTING},
                input={"note": Text(200, min=1)},
                help="Break it off",
            ),
        ),
    )
)
