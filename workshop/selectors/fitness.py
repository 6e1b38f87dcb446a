"""Who may do a line: skill, level, certificate, and two people for high voltage (3.2, 5.1, 8.1)."""

from __future__ import annotations

from datetime import date

from staff.models import Employee, EmployeeSkill, Skill
from workshop import rules
from workshop.models import OrderLine


def needs_two(line: OrderLine) -> bool:
    """Whether this is high-voltage work, done by two people with that skill (8.1)."""
    skill = line.operation.skill if line.operation else None
    return skill is not None and skill.code == rules.HIGH_VOLTAGE


def skilled(person: Employee, skill: Skill, level: int, on: date) -> bool:
    """Whether the person has the level, with a certificate valid on that day where the skill needs one (5.1)."""
    rows = EmployeeSkill.objects.filter(employee=person, skill=skill, level__gte=level)
    if skill.certificate_required:
        rows = rows.filter(valid_until__gte=on).exclude(certificate_number="")
    return rows.exists()
