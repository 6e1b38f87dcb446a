"""``make bench`` in small: the same road on a few hundred rows, so that it can't rot unseen. Speed is not judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import volume
from dealership.kernel import formats
from tools import servers

KEYS = {
    "list_repair_orders", "read_repair_order", "create_repair_order", "book_slot", "search_plate", "search_phone",
    "search_vin", "search_pinyin", "kpi_month",
}  # fmt: skip


def test_the_whole_bench_on_a_few_rows(tmp_path: Path) -> None:
    """Set-up, COPY, server, generator, raw SQL, comparison by hash, tables: every operation of the issue, one shape."""
    kept = Path(os.environ.get("VAR_DIR") or servers.BASE_DIR / "var") / "test" / "small-bench"
    kept.mkdir(parents=True, exist_ok=True)
    with servers._alone(kept):
        clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")}
        done = subprocess.run(
            [sys.executable, "-m", "bench", "--scale", "0.002", "--seconds", "0.2", "--quick"],
            cwd=servers.BASE_DIR,
            env=clean | {"VAR_DIR": str(kept)},
            capture_output=True,
            text=True,
            timeout=600,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    said = json.loads((kept / "bench.json").read_text())
    assert said["operations"].keys() == KEYS
    for name, line in said["operations"].items():
        assert line.keys() == {"rps", "p50_ms", "p95_ms", "raw_sql_rps", "empty_view_rps"}
        assert all(value > 0 for value in line.values()), (name, line)
    for name in KEYS:
        assert f"| {name} |" in done.stdout
    assert "ClientMiddleware" in done.stdout


@pytest.mark.parametrize("number", [1, 2, 63, 4711, 299_999])
def test_volume_data_are_plausible(number: int) -> None:
    """Numbers of the rows are of the kind that the forms take."""
    assert formats.check_plate(volume.plate(number)).value == volume.plate(number)
    assert formats.vin_check_digit(volume.vin(number)) == volume.vin(number)[8]
    assert formats.check_mobile(volume.phone(number)).level is formats.check_mobile("13800001111").level


def test_no_two_rows_of_the_volume_data_have_the_same_name() -> None:
    many = range(1, 300_001, 7)
    assert len({volume.plate(n) for n in many}) == len({volume.vin(n) for n in many}) == len(many)
    assert len({volume.uid(kind, n) for kind in (1, 2) for n in many}) == 2 * len(many)


def test_the_floor_on_a_few_rows() -> None:
    """Board, order page, clocking and issuing: both roads leave the same rows, and every answer has its row."""
    kept = Path(os.environ.get("VAR_DIR") or servers.BASE_DIR / "var") / "test" / "small-bench"
    kept.mkdir(parents=True, exist_ok=True)
    with servers._alone(kept):
        clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")}
        done = subprocess.run(
            [sys.executable, "-m", "bench", "--scale", "0.002", "--seconds", "0.2", "--floor"],
            cwd=servers.BASE_DIR,
            env=clean | {"VAR_DIR": str(kept)},
            capture_output=True,
            text=True,
            timeout=600,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    said = json.loads((kept / "bench.json").read_text())["floor"]
    for name in ("today_board", "order_page", "clock_on_off", "issue_part"):
        assert said[name].keys() == {"rps", "p50_ms", "p95_ms", "raw_sql_rps"}
        assert all(value > 0 for value in said[name].values()), (name, said[name])
        assert f"| {name} |" in done.stdout
