"""3.2, “Shown by” 4: every paper in both languages, with short and with long words: each word stands on it, nothing lies over
anything else or beyond the margin, no sign is missing from the fonts. A new paper must enter here."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typst
from django.conf import settings
from django.utils import translation

from compliance.documents import file_data
from compliance.models import ArchiveRecord
from compliance.selectors.vehicle_books import book_of
from compliance.vehicle_book import book_data
from dealership.kernel.actors import machine
from dealership.kernel.papers import SHARED, render_paper
from delivery.documents import settlement_data
from delivery.selectors.settlements import read_settlement
from delivery.services.settlements import issue_settlement
from tests.factories.delivery import certify, make_ready, make_team
from tests.factories.departed import make_departed
from tests.factories.workshop import add_operation, make_order, make_shop
from workshop.documents import CertificatePaper, certificate_data, contract_data, quality_data, record_data
from workshop.selectors.contracts import order_paper
from workshop.selectors.inspections import read_certificate
from workshop.selectors.quality import quality_of
from workshop.selectors.repair_record import record_of
from workshop.services.orders import send_estimate

pytestmark = pytest.mark.django_db
LANGUAGES = ("zh-hans", "en")
MARGIN = 28
"""Points from the edge of the sheet within which nothing is printed (10 mm)."""
NAME = "北京市示例远山星河汽车销售服务有限责任公司第一分公司（新能源与高端品牌售后服务中心）"
WORK = "四轮定位与底盘全面检查调整并更换前后悬架下摆臂胶套及稳定杆连杆（含拆装、动平衡与路试）" * 2
CODE = "LONG-PART-NUMBER-0123456789-ABCDEFGHIJKL"


@pytest.fixture
def gone() -> Any:
    return make_departed()[1]


def settlement(_order: Any) -> dict[str, Any]:
    team = make_team()
    issued = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    return settlement_data(read_settlement(uid=issued.uid, by=team.advisor))


def certificate(_order: Any) -> dict[str, Any]:
    team = make_team()
    made = certify(make_ready(team, category="ASSEMBLY"), team)
    return certificate_data(CertificatePaper(*read_certificate(made.uid, team.advisor)))


def contract(_order: Any) -> dict[str, Any]:
    shop = make_shop()
    order = make_order(shop)
    add_operation(shop, order, "BR-10")
    send_estimate(order_uid=order.uid, by=shop.advisor)
    paper = order_paper(order)
    assert paper is not None
    return contract_data(paper)


def quality(_order: Any) -> dict[str, Any]:
    team = make_team()
    order = make_ready(team, category="ASSEMBLY")
    certify(order, team)
    return quality_data(quality_of(order.uid, team.advisor))


PAPERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "compliance/papers/repair_file.typ": lambda order: file_data(ArchiveRecord.objects.get(subject_uid=order.uid)),
    "compliance/papers/repair_file.typ (book)": lambda order: book_data(
        book_of(order.vehicle, machine("t", store_id=order.store_id)), store=order.store.name
    ),
    "delivery/papers/settlement.typ": settlement,
    "workshop/papers/certificate.typ": certificate,
    "workshop/papers/contract.typ": contract,
    "workshop/papers/quality_sheet.typ": quality,
    "workshop/papers/repair_record.typ": lambda order: record_data(order, record_of(order)),
}


def long_words(data: dict[str, Any], name: str) -> dict[str, Any]:
    """The same paper of a shop, people, work and parts with the longest names, and with thirty lines."""
    data = copy.deepcopy(data) | {"store": NAME}
    data["facts"] = [[what, NAME if at in (0, 3, 6) else said] for at, (what, said) in enumerate(data["facts"])]
    if name == "settlement":
        row = data["labor"][0] | {"description": WORK, "amount": "123,456.00"}
        part = data["material"][0]
        data["labor"] = [row] * 30
        data["material"] = [part | {"description": WORK, "code": CODE, "brand": NAME[:20], "quantity": "1,234.5"}] * 30
    elif name == "repair_record":
        data["items"] = [[WORK, WORK, WORK, "100.50", "123,456.00", data["items"][0][-1]]] * 15
        data["parts"] = [[WORK, CODE, "1,000.5", "123,456.00"]] * 15
    elif name == "quality_sheet":
        data["work"] = [data["work"][0], WORK]
        for sheet in data["sheets"]:
            sheet["rows"] = [[WORK, "123.45 / 123.45 mm", "100.5–123.5 mm", row[3], WORK] for row in sheet["rows"]]
    elif name == "contract":
        data["items"] = [["30", WORK, "100.50 h × 1,234.00", "123,456.00", "123,456.00", "123,456.00"]] * 30
        data["sides"] = [[what, NAME, *rest] for what, _who, *rest in data["sides"]]
    elif name == "repair_file":
        for section in data["sections"]:
            longer = [WORK if at == section["wide"] else CODE for at in range(len(section["heads"]))]
            section["rows"] = [
                *section["rows"],
                [said if at in section["figures"] else longer[at] for at, said in enumerate(section["rows"][0])],
            ]
    return data


def words_of(said: Any) -> Iterator[str]:
    """Every text of a paper's data."""
    if isinstance(said, dict):
        for key, part in said.items():
            if key not in ("page", "wide", "figures", "signature", "voided", "sha256"):
                yield from words_of(part)
    elif isinstance(said, list | tuple):
        for part in said:
            yield from words_of(part)
    elif isinstance(said, str):
        yield said


def bare(text: str) -> str:
    return "".join(text.replace("\u200b", "").split())


def read(made: bytes, *how: str) -> str:
    return subprocess.run(["pdftotext", *how, "-", "-"], input=made, capture_output=True, check=True).stdout.decode()


def boxes(made: bytes) -> Iterator[tuple[tuple[float, float], list[tuple[str, float, float, float, float]]]]:
    """For every sheet its size and its words with left, top, right and bottom, in points."""
    tree = ElementTree.fromstring(read(made, "-bbox"))
    space = "{http://www.w3.org/1999/xhtml}"
    for sheet in tree.iter(f"{space}page"):
        words = [
            (word.text or "", *(float(word.get(side, "0")) for side in ("xMin", "yMin", "xMax", "yMax")))
            for word in sheet.iter(f"{space}word")
        ]
        yield (float(sheet.get("width", "0")), float(sheet.get("height", "0"))), words


def overlap(one: tuple[str, float, float, float, float], other: tuple[str, float, float, float, float]) -> float:
    """Which share of the smaller word lies under the other one; a line's height reaches into its neighbours' a little."""
    across = min(one[3], other[3]) - max(one[1], other[1])
    down = min(one[4], other[4]) - max(one[2], other[2])
    if across <= 0.5 or down <= 0:
        return 0
    return down / min(one[4] - one[2], other[4] - other[2])


def unused_names(given: dict[str, Any]) -> set[str]:
    """Heads of tables that this paper doesn't have, codes of labour, and what only stands where something is missing."""
    labels = given.get("labels", {})
    gone = {labels[key] for key in ("other", "discount", "payments", "none") if key in labels}
    gone |= {row["code"] for row in given.get("labor", [])} | set(
        () if given.get("parts") else given.get("parts_head", ())
    )
    return gone | {given.get("no_parts", ""), given.get("missing", "") if not given.get("missing_title") else ""}


def test_every_paper_of_the_house_is_looked_at() -> None:
    root: Path = settings.BASE_DIR
    there = {str(path.relative_to(root)) for path in root.glob("*/papers/*.typ")}
    assert {name.split(" ")[0] for name in PAPERS} == there
    others = {path for path in root.glob("*/**/*.typ") if "node_modules" not in path.parts}
    assert {path for path in others if path.parent.name != "papers"} == {SHARED}


@pytest.mark.parametrize("paper", PAPERS)
def test_each_word_stands_on_the_paper(paper: str, gone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typst, "compile", partial(typst.compile, pdf_standards=["a-2b"]))  # refuses a missing sign
    template = settings.BASE_DIR / paper.split(" ")[0]
    for language in LANGUAGES:
        with translation.override(language):
            short = PAPERS[paper](gone)
        for kind, data in (("short", short), ("long", long_words(short, template.stem))):
            made = render_paper(template, data)
            text = bare(read(made, "-raw"))
            lost = {word for word in words_of(data) if bare(word) not in text} - unused_names(data)
            assert lost == set(), (language, kind)
            for (width, height), words in boxes(made):
                out = [
                    word
                    for word, left, top, right, bottom in words
                    if min(left, top) < MARGIN or right > width - MARGIN or bottom > height - MARGIN / 2
                ]
                assert out == [], (language, kind)
                over = [(a[0], b[0]) for a, b in combinations(words, 2) if overlap(a, b) > 0.5]
                assert over == [], (language, kind)
            if template.stem == "certificate":
                assert len(list(boxes(made))) == 1, "both parts on one sheet"


def test_a_sign_that_no_font_has_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typst, "compile", partial(typst.compile, pdf_standards=["a-2b"]))
    data = settlement(None) | {"store": "示例😀"}
    with pytest.raises(typst.TypstError, match="could not be displayed"):
        render_paper(settings.BASE_DIR / "delivery/papers/settlement.typ", data)
