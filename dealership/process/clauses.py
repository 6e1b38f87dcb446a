"""The manual's clauses as data (chapters 1–8): number, title and what the system must do, in our words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause. ``survives`` tells whether the manual's own words are kept (1.1–2.2.2) or only its heading."""

    number: str
    title: Any
    demand: Any
    survives: bool = False

    @property
    def chapter(self) -> int:
        return int(self.number.split(".")[0])


CHAPTERS: dict[int, Any] = {
    1: _("Service process"),
    2: _("Reception and consultation"),
    3: _("Maintenance and repair"),
    4: _("Delivery and after-sales"),
    5: _("People"),
    6: _("Service quality"),
    7: pgettext_lazy("clause of the manual", "Information systems"),
    8: _("Safety and compliance"),
}

CLAUSES: dict[str, Clause] = {
    clause.number: clause
    for clause in (
        Clause(
            "1.1",
            _("Definition and goals"),
            _(
                "Every job goes through its stages, traceable and consistent; no stage is skipped without a recorded reason."
            ),
            True,
        ),
        Clause(
            "1.2",
            _("Organisation"),
            _("Departments, posts and roles with least privilege; who does the work doesn't inspect it."),
            True,
        ),
        Clause(
            "1.3",
            _("Principles"),
            _(
                "Standardised, transparent, customer first, improved continuously; one link shows the customer the visit."
            ),
            True,
        ),
        Clause(
            "1.4",
            _("Optimisation"),
            _("Figures from the log find bottlenecks and waste; improvements are measured before and after."),
            True,
        ),
        Clause(
            "2.1.1",
            _("Before reception"),
            _("Desk, brochures and chairs in place, area clean; receptionists are trained before they serve."),
            True,
        ),
        Clause(
            "2.1.2",
            _("Reception flow"),
            _("Register, collect, consult, guide to the area; name, contact, model and need are mandatory."),
            True,
        ),
        Clause(
            "2.1.3",
            _("Reception standard"),
            _("Smile, standard phrases, no interrupting; observed and scored by clause."),
            True,
        ),
        Clause(
            "2.1.4",
            _("Effect of reception"),
            _("The customer rates the reception; the ratings are analysed by advisor, hour and channel."),
            True,
        ),
        Clause(
            "2.2.1",
            _("Channels and answer times"),
            _("Each channel has its own answer time; an e-mail is answered within 24 hours."),
            True,
        ),
        Clause(
            "2.2.2",
            _("Content of consultation"),
            _("Models, prices, intervals, warranty and after-sales service; an answer cites the article it rests on."),
            True,
        ),
        Clause(
            "2.3",
            _("Customer information"),
            _("Customers, vehicles, owners over time, consents and preferences, found by one search box."),
        ),
        Clause(
            "2.4",
            _("Appointments and dispatch"),
            _("Capacity, preparation and reminders; no bay and no person is planned twice at once."),
        ),
        Clause(
            "3.1",
            _("Maintenance norms"),
            _("Plans by model and mileage, check sheets, declined advice is kept and offered again."),
        ),
        Clause(
            "3.2",
            _("Repair norms"),
            _(
                "Estimate, authorisation of every line, clocking, parts to the line, three inspections, certificate, guarantee."
            ),
        ),
        Clause("3.3", _("Repair records"), _("One complete file per repair order, served to its customer on request.")),
        Clause("3.4", _("Tools"), _("Tools are issued, returned and calibrated; an expired one is used nowhere.")),
        Clause(
            "4.1",
            pgettext_lazy("clause of the manual", "Delivery"),
            _("Inspection passed, certificate, signed settlement list, payment, signed hand-over: in this order."),
        ),
        Clause(
            "4.2",
            _("After-sales service"),
            _("Callback on day 3 with retries and result codes, reminders and campaigns."),
        ),
        Clause(
            "4.3",
            _("Satisfaction"),
            _("A survey on the visit's link, CSI by dimension, NPS; a bad answer opens a case."),
        ),
        Clause(
            "4.4",
            _("Feedback and improvement"),
            _("Feedback goes to an owner, a cause, an action and a check by another person."),
        ),
        Clause("5.1", _("Training"), _("Posts, skills, certificates with their expiry; dispatch reads them.")),
        Clause(
            "5.2",
            _("Appraisal"),
            _("Indicators by post from the same figures as the dashboards, with the rows behind them."),
        ),
        Clause("5.3", _("Conduct"), _("Points with evidence and appeal; red lines.")),
        Clause("5.4", _("Incentives"), _("Commission and bonus as versioned formulas, explained line by line.")),
        Clause("6.1", _("Quality standards"), _("Every figure shows its formula, its population and its rows.")),
        Clause("6.2", _("Quality monitoring"), _("Daily figures, dashboards, control charts, samples and audits.")),
        Clause(
            "6.3",
            _("Quality improvement"),
            _("A non-conformity leads to a cause, an action and a check of its effect."),
        ),
        Clause(
            "6.4",
            pgettext_lazy("clause of the manual", "Complaints"),
            _("Levels and separate clocks for answer, plan and closure; who handled it doesn't close it."),
        ),
        Clause(
            "7.1",
            pgettext_lazy("clause of the manual", "Systems"),
            _("Roles, two-factor sign-in, dated settings, a health page, one command to install."),
        ),
        Clause("7.2", _("Data"), _("Imports with preview and undo, data quality, personal-data rights.")),
        Clause("7.3", _("Sharing"), _("A documented API, signed events, masked personal data.")),
        Clause(
            "7.4", _("Maintenance and upgrade"), _("Backups that are restored, an audit log, upgrades without loss.")
        ),
        Clause("8.1", _("Safety"), _("Inspections, hazards, permits and incidents.")),
        Clause(
            "8.2",
            pgettext_lazy("clause of the manual", "Compliance"),
            _("Obligations, licences, hazardous waste, prices posted."),
        ),
        Clause("8.3", _("Risk"), _("A register of risks with controls and reviews.")),
        Clause(
            "8.4",
            _("Archives"),
            _("Every file has its retention date; nothing is destroyed early, and never by one person alone."),
        ),
    )
}

_screens: dict[str, list[tuple[str, Any]]] = {}


def screen(number: str, url_name: str, label: Any) -> None:
    """A chapter names a page that carries out a clause (from its ``kpis.py``)."""
    if number not in CLAUSES:
        raise ValueError(f"There is no clause {number}.")
    _screens.setdefault(number, []).append((url_name, label))


def screens_of(number: str) -> list[tuple[str, Any]]:
    return _screens.get(number, [])
