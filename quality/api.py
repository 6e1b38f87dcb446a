"""Resources of chapter 6."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Action, Command, Filter, Listing, One, Resource, register, register_listing
from dealership.kernel.api.shapes import Choice, Day, Field, Flag, ListOf, Moment, Number, Text, Uid, Whole
from dealership.kernel.api.star import star_codes
from dealership.kernel.postgres.prepared import run_prepared
from dealership.process.clauses import CHAPTERS, CLAUSES
from dealership.process.figures import FIGURES
from quality import permissions
from quality.models import C, Complaint, ComplaintLevel, ComplaintState
from quality.services import complaints

HANDLE, CLOSE = permissions.COMPLAINTS_HANDLE, permissions.COMPLAINTS_CLOSE

register(
    Resource(
        path="complaints",
        name="Complaint",
        room="quality",
        model=Complaint,
        view=permissions.COMPLAINTS_VIEW,
        help="A complaint with its response clock (6.4).",
        state="state",
        star="Case",
        star_fields={"state": "case_status_type"},
        shape={
            "number": Text(),
            "state": Choice(choices=ComplaintState),
            "level": Choice(choices=ComplaintLevel),
            "source": Text(),
            "customer_uid": Uid(source="customer__uid"),
            "visit_uid": Uid(source="visit__uid", null=True),
            "survey_uid": Uid(source="survey__uid", null=True),
            "description": Text(mask=mask_text),
            "demand": Text(mask=mask_text),
            "handler_uid": Uid(source="handler__uid", null=True),
            "subject_uid": Uid(source="subject__uid", null=True),
            "opened_at": Moment(),
            "response_due_at": Moment(),
            "responded_at": Moment(null=True),
            "cause": Text(mask=mask_text),
            "solution": Text(mask=mask_text),
            "resolved_at": Moment(null=True),
            "closed_at": Moment(null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=ComplaintState), lookup="state"),
            "visit_uid": Filter(field=Uid(), lookup="visit__uid"),
            "customer_uid": Filter(field=Uid(), lookup="customer__uid"),
        },
        expand={
            "customer": One(target="customers", source="customer__uid"),
            "visit": One(target="visits", source="visit__uid"),
        },
        create=Command(
            run=complaints.open_complaint,
            permission=permissions.COMPLAINTS_OPEN,
            input={
                "customer_uid": Uid(),
                "description": Text(1000, min=1),
                "source": Text(20, min=1),
                "level": Choice(choices=ComplaintLevel, optional=True),
                "visit_uid": Uid(optional=True, null=True),
                "survey_uid": Uid(optional=True, null=True),
                "demand": Text(300, optional=True),
                "subject_uid": Uid(optional=True, null=True),
            },
            help="Take in a complaint",
        ),
        actions=(
            Action(
                verb="respond",
                run=complaints.respond_complaint,
                permission=HANDLE,
                when={C.OPEN},
                input={"words": Text(500, min=1)},
                help="The first answer to the customer; the response clock stops",
            ),
            Action(
                verb="review",
                run=complaints.review_complaint,
                permission=HANDLE,
                when={C.RESPONDED, C.RESOLVED},
                input={"cause": Text(500, min=1)},
                help="Look into it and write down the cause",
            ),
            Action(
                verb="resolve",
                run=complaints.resolve_complaint,
                permission=HANDLE,
                when={C.RESPONDED, C.UNDER_REVIEW},
                input={"solution": Text(500, min=1)},
                help="Write down the solution",
            ),
            Action(
                verb="close",
                run=complaints.close_complaint,
                permission=CLOSE,
                when={C.RESOLVED},
                help="Close it; never by who handled it",
            ),
            Action(
                verb="reopen",
                run=complaints.reopen_complaint,
                permission=CLOSE,
                when={C.CLOSED},
                input={"reason": Text(300, min=1)},
                help="Open it again",
            ),
        ),
    )
)


# --- figures (6.1) ---
KPI: dict[str, Field] = {
    "code": Text(),
    "label": Text(help="In the caller's language."),
    "clause": Text(),
    "formula": Text(),
    "unit": Text(),
    "store_code": Text(),
    "day": Day(),
    "dimension": Text(help="Empty: the whole store; else the uid of an employee."),
    "numerator": Number(4),
    "denominator": Number(4),
    "target": Number(4, null=True),
    "is_sum": Flag(help="An amount that adds up over days, not a ratio."),
    "computed_at": Moment(),
}


_COLUMNS = ("code", "day", "dimension", "numerator", "denominator", "computed_at", "store_code")
_SQL = """
    SELECT k.code, k.day, k.dimension, k.numerator, k.denominator, k.computed_at, s.code
    FROM process_kpivalue k JOIN kernel_store s ON s.id = k.store_id
    WHERE k.code = ANY($1::text[]) AND k.day BETWEEN $2::date AND $3::date
        AND ($4::boolean OR k.store_id = ANY($5::bigint[]))
    ORDER BY k.day, k.code, s.code, k.dimension
    LIMIT $6 OFFSET $7
"""


def _kpis(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    """Figures by store and day in the order of day, code, store and dimension, from the rollup."""
    last = values.get("day_lte") or clock.today()
    first = values.get("day_gte") or last - timedelta(days=6)
    start, limit = int(values.get("cursor", 0)), values["limit"]
    wanted = [values["code"]] if "code" in values else list(FIGURES)
    codes = [code for code in wanted if code in FIGURES]
    stores = sorted(actor.store_ids or ())
    rows = run_prepared("kpis", _SQL, [codes, first, last, actor.store_ids is None, stores, limit + 1, start])
    found = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    has_more, found = len(found) > limit, found[:limit]
    said: dict[str, dict[str, Any]] = {}
    for row in found:
        if row["code"] not in said:
            figure = FIGURES[row["code"]]
            said[row["code"]] = {
                "label": str(figure.label),
                "clause": figure.clause,
                "formula": str(figure.formula),
                "unit": str(figure.unit),
                "target": figure.target,
                "is_sum": figure.sums,
            }
        row |= said[row["code"]]
    return found, has_more, str(start + limit) if has_more else None


register_listing(
    Listing(
        path="kpis",
        name="Kpi",
        room="quality",
        view=permissions.DASHBOARD_VIEW,
        help="Figures by store and day: numerator and denominator, never only the ratio (6.1).",
        parameters={
            "day_gte": Day(help="First day; default: six days before the last."),
            "day_lte": Day(help="Last day; default: today."),
            "code": Text(60, min=1),
            "cursor": Text(12, min=1, pattern=r"^[0-9]{1,9}$", help="next_cursor of the page before."),
        },
        shape=KPI,
        read=_kpis,
    )
)

# --- the manual's clauses (1.1) ---


def _clauses(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    rows = [
        {
            "number": clause.number,
            "chapter": clause.chapter,
            "chapter_title": str(CHAPTERS[clause.chapter]),
            "title": str(clause.title),
            "demand": str(clause.demand),
            "kpi_codes": sorted(code for code, figure in FIGURES.items() if figure.clause == clause.number),
        }
        for clause in CLAUSES.values()
        if values.get("chapter", clause.chapter) == clause.chapter
    ]
    start, limit = int(values.get("cursor", 0)), values["limit"]
    has_more = len(rows) > start + limit
    return rows[start : start + limit], has_more, str(start + limit) if has_more else None


register_listing(
    Listing(
        path="clauses",
        name="Clause",
        room="quality",
        view="",
        help="The manual's clauses with what the system must do and the figures that measure it (1.1).",
        parameters={
            "chapter": Whole(1, 8),
            "cursor": Text(6, min=1, pattern=r"^[0-9]{1,6}$", help="next_cursor of the page before."),
        },
        shape={
            "number": Text(),
            "chapter": Whole(),
            "chapter_title": Text(help="In the caller's language."),
            "title": Text(help="In the caller's language."),
            "demand": Text(help="What the system must do, in the caller's language."),
            "kpi_codes": ListOf(inner=Text(), help="Codes of its figures (kpis)."),
        },
        read=_clauses,
    )
)

# --- STAR's values of our codes (peers: a dictionary, no protocol) ---
star_codes(ComplaintState, "OPEN", "UNDER_REVIEW", "RESOLVED", "CLOSED")
