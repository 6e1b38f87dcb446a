"""The list of wear parts over the API (domain 3.6)."""

from __future__ import annotations

from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Day, Text, Whole
from workshop import permissions
from workshop.services import wear
from workshop.wear_models import WearPart, WearTerm

register(
    Resource(
        path="wear-terms",
        name="WearTerm",
        room="workshop",
        model=WearTerm,
        view=permissions.FAULTS_VIEW,
        help="How long the maker answers for a kind of wear part, for cars sold from a day on; never changed (3.2).",
        shape={
            "kind": Choice(choices=WearPart),
            "make": Text(help="Empty: all makes."),
            "months": Whole(),
            "km": Whole(),
            "starts_on": Day(help="For cars sold from this day on."),
            "source": Text(help="The maker's paper."),
        },
        filters={
            "kind": Filter(field=Choice(choices=WearPart), lookup="kind"),
            "make": Filter(field=Text(40), lookup="make"),
        },
        create=Command(
            run=wear.enter_wear_term,
            permission=permissions.WEAR_LIST,
            input={
                "kind": Choice(choices=WearPart),
                "make": Text(40, optional=True),
                "months": Whole(least=1, most=120),
                "km": Whole(least=1, most=500_000),
                "starts_on": Day(),
                "source": Text(120, min=1),
            },
            help="Enter the period of a kind of wear part",
        ),
    )
)
