"""Two at once, for every command that locks: a story in which each step is done by two people at the same moment.

``STORY`` says what comes of each: ``one: code`` – one wins, the other is refused with that code; ``same`` – both get the
answer, one wrote; ``both`` – both did something of their own, one after the other. The list of commands is derived from
the services; one that no story meets fails ``test_no_locking_command_is_left_out``. A new command needs three lines: its
entry here, its ``go(…)`` at the point of a story where it can be done, and what ``second`` asks for if not the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from compliance.models import ArchiveRecord
from compliance.services import archives, health_uploads
from dealership.catalogue.models import Operation, Part, Resource, ResourceKind
from dealership.catalogue.services import maintenance, models, operations, part_master, plans, resources
from dealership.catalogue.services import packages as catalogue_packages
from dealership.catalogue.services import parts as catalogue_parts
from dealership.catalogue.services import replacements as catalogue_replacements
from dealership.catalogue.services import sheets as sheet_versions
from dealership.exchange.services import clients, imports, inbox
from dealership.exchange.services.health import retry_event
from dealership.kernel import clock, outbox, services
from dealership.kernel.actors import machine
from dealership.kernel.models import Approval, History, Outbox
from delivery.models import DateReminder, Deposit
from delivery.services import cores as counter_cores
from delivery.services import deposits, followups, handovers, payments, reminders, rework, settlements
from delivery.services import sales as counter_money
from quality.models import Complaint
from quality.services import complaints
from reception.models import Customer, CustomerMerge, Duplicate, SlotOffer, Vehicle, Visit
from reception.selectors.capacity import loan_of
from reception.services import (
    appointments,
    calendars,
    changing,
    checklists,
    conduct,
    consultations,
    contacts,
    customers,
    evening,
    handing_over,
    knowledge,
    loans,
    merging,
    quotations,
    tags,
    transports,
    vehicles,
    visits,
    waiting,
    walkarounds,
)
from staff.models import PostHolding
from staff.selectors.employees import require_employee
from staff.services import employees, rosters
from tests.delivery import test_rework as returns
from tests.delivery.test_whole_way import House
from tests.factories import appointments as booked
from tests.factories import kernel, staff
from tests.factories import sheets as check_sheets
from tests.factories.accidents import AGREES, assessed_below, make_accident_order, structural
from tests.factories.api import make_credentials
from tests.factories.away import make_away_wait
from tests.factories.cores import make_paid_core
from tests.factories.delivery import CHECKED, make_team
from tests.factories.dirty_files import as_csv, vin_of
from tests.factories.floor import DAY, actor, at, clock_at, make_agreed
from tests.factories.loans import given as given_loan
from tests.factories.loans import make_loan_car
from tests.factories.reception import make_customer, make_picture, make_vehicle, make_visit
from tests.factories.reminders import make_ending
from tests.factories.warranty import make_warranty_repair
from tests.factories.wishes import make_booked, make_wish
from tests.factories.workshop import (
    YES,
    add_operation,
    agree_all,
    link_actor,
    make_order,
    make_received_visit,
    operation,
    part,
)
from tests.reliability.meeting import locking_commands, meet
from tests.workshop import test_faults as maker_pays
from workshop.models import Advice, CertificateRange, Dispatch, Estimate, PartLine, PartTrial, RepairOrder, StockItem
from workshop.selectors.kiosk import job_code
from workshop.services import (
    accidents,
    advice,
    authorizations,
    away,
    blocking,
    campaigns,
    claims,
    clocking,
    contracts,
    cores,
    counting,
    day_six,
    differences,
    dispatch,
    faults,
    findings,
    goodwill,
    inspections,
    kiosk,
    lifts,
    old_parts,
    orders,
    own_parts,
    packages,
    part_consents,
    payers,
    proposals,
    purchasing,
    reassembly,
    replacements,
    sales,
    screens,
    shares,
    sheets,
    standing,
    stock,
    sublets,
    suppliers,
    taking_stock,
    tools,
    trials,
    warranty_claims,
    wishes,
)
from workshop.services import gloves as glove_looks
from workshop.wish_models import MaintenanceWish

pytestmark = pytest.mark.django_db(transaction=True)
STORY: dict[str, str] = {
    "catalogue.add_model": "one: model.exists",
    "catalogue.correct_model": "both",
    "catalogue.end_model": "one: model.same",
    "catalogue.add_operation": "one: operation.exists",
    "catalogue.add_master_part": "one: part.exists",
    "catalogue.correct_operation": "both",
    "catalogue.correct_master_part": "both",
    "catalogue.set_model_hours": "both",
    "catalogue.set_usual_part": "both",
    "catalogue.discard_plan": "one: 404",
    "catalogue.draft_next": "one: plan.draft_exists",
    "catalogue.drop_item": "one: plan_item.gone",
    "catalogue.end_package": "one: package.ended",
    "catalogue.put_item": "both",
    "catalogue.set_package": "one: package.later",
    "catalogue.release_plan": "one: plan.released",
    "catalogue.extend": "one: reservation.not_later",
    "catalogue.release": "one: reservation.released",
    "catalogue.reserve": "one: reservation.taken",
    "catalogue.reserve_all": "one: reservation.taken",
    "catalogue.set_capacity": "one: resource.same",
    "catalogue.set_plate": "one: resource.same",
    "catalogue.set_efficiency": "one: resource.same",
    "catalogue.discard_template": "one: 404",
    "catalogue.draft_next_template": "one: template.draft_exists",
    "catalogue.drop_check_item": "one: check_item.gone",
    "catalogue.put_check_item": "both",
    "catalogue.put_check_limit": "both",
    "catalogue.release_template": "one: template.released",
    "catalogue.switch_resource": "one: resource.same",
    "compliance.add_to_file": "same",
    "compliance.archive_order": "same",
    "compliance.mark_for_destruction": "one: state.move",
    "compliance.sign_destruction": "both",
    "compliance.queue_upload": "same",
    "compliance.claim_upload": "one: health_record.not_due",
    "compliance.note_answer": "same",
    "compliance.send_again": "one: state.move",
    "compliance.enter_by_hand": "one: state.move",
    "delivery.answer_survey": "one: survey.answered",
    "delivery.ask_goodwill": "one: approval.open",
    "delivery.ask_unpaid_exit": "one: approval.open",
    "delivery.cancel_gate_pass": "one: gatepass.used",
    "delivery.hand_over": "one: handover.exists",
    "delivery.issue_gate_pass": "one: gatepass.exists",
    "delivery.issue_settlement": "one: settlement.exists",
    "delivery.plan_follow_up": "same",
    "delivery.record_call": "one: follow_up.closed",
    "delivery.refund_payment": "one: payment.amount",
    "delivery.return_deposit": "one: deposit.amount",
    "delivery.scan_back": "one: gate.used",
    "delivery.scan_out": "one: gate.used",
    "delivery.close_date_reminder": "one: date_reminder.closed",
    "delivery.remind_of_dates": "same",
    "delivery.send_survey": "same",
    "delivery.sign_settlement": "one: state.move",
    "delivery.take_booking_deposit": "both",
    "delivery.take_deposit": "both",
    "delivery.take_payment": "one: payment.amount",
    "delivery.void_settlement": "one: state.move",
    "exchange.ask_undo": "one: import.undo_asked",
    "exchange.confirm_import": "one: state.move",
    "exchange.discard_import": "one: import.discard",
    "delivery.accept_unshown": "same",
    "delivery.judge_rework": "one: state.move",
    "delivery.mend_reworks": "same",
    "delivery.open_rework": "one: rework.running",
    "delivery.pay_rework": "one: state.move",
    "delivery.send_rework_out": "one: state.move",
    "delivery.start_rework": "one: rework.started",
    "delivery.withdraw_rework": "one: state.move",
    "exchange.read_messages": "same",
    "exchange.retry_event": "one: event.not_failed",
    "exchange.undo_import": "one: state.move",
    "exchange.withdraw_api_client": "one: api_client.withdrawn",
    "exchange.write_step": "same",
    "kernel.choose_language": "silent",
    "kernel.decide_approval": "one: state.move",
    "kernel.remember_preference": "silent",
    "kernel.retry_message": "one: state.move",
    "kernel.withdraw_approval": "one: state.move",
    "quality.close_complaint": "one: state.move",
    "quality.open_complaint": "both",
    "quality.reopen_complaint": "one: state.move",
    "quality.resolve_complaint": "one: state.move",
    "quality.respond_complaint": "one: state.move",
    "quality.review_complaint": "one: state.move",
    "reception.issue_calendar": "both",
    "reception.report_part_missing": "one: appointment.replan_known",
    "reception.stop_calendar": "one: calendar.none",
    "reception.decline_offer": "one: offer.over",
    "reception.join_waiting_list": "one: waiting.already",
    "reception.offer_time": "same",
    "reception.take_offer": "one: offer.over",
    "reception.tend_entry": "same",
    "reception.withdraw_entry": "one: state.move",
    "reception.add_damage": "both",
    "reception.answer_consultation": "both",
    "reception.ask_online": "both",
    "reception.assign_consultation": "one: consultation.assignee_same",
    "reception.close_consultation": "one: state.move",
    "reception.convert_to_appointment": "one: state.move",
    "reception.convert_to_visit": "one: state.move",
    "reception.give_quotation": "both",
    "reception.give_article": "one: article.owner_same",
    "reception.hand_to_sales": "one: lead.exists",
    "reception.revise_article": "one: article.unchanged",
    "reception.review_article": "one: article.review_same",
    "reception.withdraw_article": "one: article.withdrawn",
    "reception.note_consultation": "both",
    "reception.receive_message": "both",
    "reception.save_template": "one: template.title",
    "reception.settle_consultation": "one: state.move",
    "reception.snooze_consultation": "both",
    "reception.take_consultation": "one: consultation.taken",
    "reception.add_photo": "both",
    "reception.book_appointment": "one: appointment.vehicle_booked",
    "reception.cancel_appointment": "one: state.move",
    "reception.extend_loan": "one: reservation.not_later",
    "reception.name_contact": "one: customer.contact_same",
    "reception.change_owner": "one: vehicle.owner_same",
    "reception.confirm_appointment": "one: state.move",
    "reception.confirm_parts": "one: appointment.confirmed",
    "reception.confirm_walkaround": "one: walkaround.signed",
    "reception.dispute_walkaround": "one: walkaround.not_sent",
    "reception.confirm_workshop": "one: appointment.confirmed",
    "reception.add_contact": "one: contact.known",
    "reception.correct_contact": "one: contact.unchanged",
    "reception.end_contact": "one: contact.ended",
    "reception.change_tag": "one: tag.unchanged",
    "reception.end_tag": "one: tag.ended",
    "reception.tag_customer": "one: tag.known",
    "reception.untag_customer": "one: tag.off",
    "reception.decide_consent_on_link": "one: consent.unchanged",
    "reception.prefer_on_link": "one: customer.unchanged",
    "reception.correct_customer": "one: customer.unchanged",
    "reception.correct_vehicle": "one: vehicle.unchanged",
    "reception.save_script": "one: script.once",
    "reception.write_checklist": "one: checklist.once",
    "reception.end_checklist": "one: checklist.ended",
    "reception.check_opening": "one: check.done",
    "reception.right_point": "one: check.righted",
    "reception.count_evening": "one: evening.counted",
    "reception.end_consultation": "one: state.move",
    "reception.give_key": "one: visit.key_same",
    "reception.greet_visit": "one: visit.greeted",
    "reception.keep_apart": "one: customer.duplicate_decided",
    "reception.find_duplicates": "silent",
    "reception.compare_two": "silent",
    "reception.lead_to_area": "both",
    "reception.merge_customers": "one: customer.merged",
    "reception.leave_unserved": "one: state.move",
    "reception.mark_no_show": "one: state.move",
    "reception.move_appointment": "one: appointment.same",
    "reception.wait_instead": "one: waiting.already",
    "reception.wait_online": "one: waiting.already",
    "reception.move_online": "one: appointment.same",
    "reception.cancel_online": "one: appointment.online_ended",
    "reception.note_feedback": "both",
    "reception.promise_visit": "one: visit.promise_same",
    "reception.rate_reception": "same",
    "reception.explain_rating": "same",
    "quality.explain_complaint": "same",
    "reception.note_use": "both",
    "reception.read_odometer": "both",
    "reception.record_consent": "one: consent.unchanged",
    "reception.register_arrival": "one: vehicle.plate_taken",
    "reception.register_vehicle": "one: vehicle.plate_taken",
    "reception.remind_customer": "same",
    "reception.remove_damage": "one: 404",
    "reception.request_appointment": "one: vehicle.plate_taken",
    "reception.save_walkaround": "same",
    "reception.send_link": "one: visit.link_again",
    "reception.send_walkaround": "one: walkaround.sent",
    "reception.sign_walkaround": "one: walkaround.signed",
    "reception.take_back_walkaround": "one: walkaround.not_sent",
    "reception.give_loan_car": "one: loan.has_one",
    "reception.keep_loan_car_longer": "one: loan.not_later",
    "reception.take_back_loan_car": "one: loan.back",
    "reception.plan_transport": "one: transport.open",
    "reception.set_out": "one: state.move",
    "reception.take_over": "one: transport.taken_over",
    "reception.arrive": "one: state.move",
    "reception.call_off": "one: state.move",
    "reception.undo_merge": "one: customer.merge_undone",
    "reception.view_link": "same",
    "staff.appoint_deputy": "one: deputy.overlap",
    "staff.end_deputyship": "one: deputy.ended",
    "staff.end_employment": "one: employee.left",
    "staff.end_post": "one: post.ended",
    "staff.give_login": "one: login.exists",
    "staff.give_post": "one: post.overlap",
    "staff.grade_skill": "both",
    "staff.hand_over_work": "both",
    "staff.plan_roster": "both",
    "staff.set_badge": "one: badge.same",
    "staff.set_password": "both",
    "staff.set_roster_day": "both",
    "workshop.accept_proposal": "one: state.move",
    "catalogue.set_tracing": "one: part.tracing_same",
    "catalogue.set_handling": "one: part.handling_same",
    "catalogue.replace_part": "one: replacement.exists",
    "catalogue.end_replacement": "one: replacement.ended",
    "workshop.put_on_sale": "both",
    "workshop.change_sale": "both",
    "workshop.take_off_sale": "one: 404",
    "workshop.sell": "one: sale.final",
    "workshop.drop_sale": "one: sale.final",
    "workshop.take_back_sold": "one: sale.returned",
    "delivery.take_sale_payment": "one: payment.amount",
    "delivery.refund_sale_payment": "one: payment.amount",
    "workshop.lend_part": "both",
    "workshop.take_trial_back": "one: trial.ended",
    "workshop.issue_trial": "one: trial.ended",
    "workshop.order_sublet": "one: sublet.open",
    "workshop.change_sublet_day": "one: sublet.same",
    "workshop.send_sublet": "one: state.move",
    "workshop.take_back_sublet": "one: state.move",
    "workshop.check_sublet": "one: state.move",
    "workshop.bill_sublet": "one: sublet.billed",
    "workshop.cancel_sublet": "one: state.move",
    "workshop.take_replacement": "one: part.no_replacement",
    "workshop.add_line": "both",
    "workshop.judge_fault": "both",
    "workshop.open_claim": "one: claim.running",
    "workshop.grant_claim": "one: state.move",
    "workshop.refuse_claim": "one: state.move",
    "workshop.finish_claim": "one: state.move",
    "workshop.withdraw_claim": "one: state.move",
    "workshop.add_vins": "both",
    "workshop.answer_campaign": "both",
    "workshop.end_campaign": "both",
    "workshop.put_on_order": "one: campaign.on_order",
    "workshop.give_care": "one: day_six.overlap",
    "workshop.end_care": "one: day_six.ended",
    "workshop.hand_out_record": "both",
    "workshop.add_line_photos": "both",
    "workshop.add_line_photo": "both",
    "workshop.add_part": "both",
    "workshop.allot_certificates": "one: certificate.overlap",
    "workshop.answer_call": "one: call.answered",
    "workshop.pass_call": "one: call.passed_already",
    "workshop.ask_for": "both",
    "workshop.end_calls": "same",
    "workshop.ask_proposal": "one: proposal.running",
    "workshop.block_bay": "one: reservation.taken",
    "workshop.cancel_away": "one: away.ended",
    "workshop.clock_by_scan": "one: kiosk.again",
    "workshop.cancel_line": "one: state.move",
    "workshop.dissolve_package": "one: package.dissolved",
    "workshop.note_part_came": "same",
    "workshop.plan_away": "one: away.open",
    "workshop.put_package": "one: package.there",
    "workshop.change_line": "one: line.unchanged",
    "workshop.change_part": "both",
    "workshop.change_promise": "one: promise.same",
    "workshop.close_left_clocking": "same",
    "workshop.clock_off": "one: clocking.none",
    "workshop.clock_on": "one: clocking.open",
    "workshop.correct_clocking": "both",
    "workshop.count_stock": "same",
    "workshop.decide_lines": "one: line.decided",
    "workshop.discount_line": "both",
    "workshop.check_own_part": "both",
    "workshop.discount_part": "both",
    "workshop.dispatch_line": "one: dispatch.twice",
    "workshop.drop_line": "one: dispatch.given",
    "workshop.end_screen": "one: screen.ended",
    "workshop.fail_proposal": "same",
    "workshop.finish_line": "one: state.move",
    "workshop.ask_line_goodwill": "one: goodwill.asked",
    "workshop.ask_payer": "one: payer.asked",
    "workshop.end_standing_consent": "one: standing.ended",
    "workshop.give_standing_consent": "one: standing.exists",
    "workshop.give_payer_yes": "same",
    "workshop.sign_contract": "one: contract.signed",
    "workshop.sign_part_consent": "one: part_consent.signed",
    "workshop.give_approved_discount": "same",
    "workshop.give_approved_part_discount": "same",
    "workshop.give_approved_goodwill": "same",
    "workshop.hold_line": "one: hold.open",
    "workshop.set_shares": "silent",
    "workshop.inspect_order": "one: inspection.passed",
    "workshop.issue_certificate": "one: certificate.exists",
    "workshop.issue_part": "one: part.quantity",
    "workshop.keep_for_line": "same",
    "workshop.note_estimate_viewed": "same",
    "workshop.add_check_photo": "both",
    "workshop.answer_item": "same",
    "workshop.begin_sheet": "one: sheet.there",
    "workshop.offer_finding": "one: sheet.offered",
    "workshop.rest_is_good": "one: sheet.no_rest",
    "workshop.sign_sheet": "one: sheet.signed",
    "workshop.drop_advice": "one: advice.ended",
    "workshop.keep_advice": "same",
    "workshop.wish_maintenance": "same",
    "workshop.wish_for_booking": "same",
    "workshop.take_wishes": "one: wish.answered",
    "workshop.decline_wish": "one: wish.answered",
    "workshop.offer_advice": "both",
    "workshop.take_up_advice": "one: state.move",
    "workshop.offer_again": "one: line.not_declined",
    "workshop.open_repair_order": "both",
    "workshop.order_parts": "both",
    "workshop.change_expected": "one: purchase.same_day",
    "workshop.receive_purchase": "one: purchase.ended",
    "workshop.end_purchase": "one: purchase.ended",
    "workshop.expect_part": "same",
    "workshop.move_reservation": "one: reservation.enough",
    "workshop.open_warehouse": "one: warehouse.code",
    "workshop.enter_supplier": "one: supplier.twice",
    "workshop.correct_supplier": "same",
    "workshop.take_core": "one: core.quantity",
    "workshop.send_core": "one: state.move",
    "workshop.credit_core": "one: state.move",
    "delivery.pay_core_back": "one: core.payout",
    "workshop.name_stock": "one: stock.named",
    "workshop.transfer_stock": "one: stock.bin_short",
    "workshop.start_take": "one: take.open",
    "workshop.count_line": "one: take.other_person",
    "workshop.name_difference": "both",
    "workshop.close_take": "one: take.ended",
    "workshop.cancel_take": "one: take.ended",
    "workshop.receive_stock": "both",
    "workshop.move_dispatch": "one: dispatch.ended",
    "workshop.reassemble_line": "one: line.reassembly",
    "workshop.reject_proposal": "one: state.move",
    "workshop.release_line": "one: hold.none",
    "workshop.remove_part": "one: 404",
    "workshop.report_more_work": "one: finding.line_there",
    "workshop.reserve_part": "silent",
    "workshop.reserve_parts": "silent",
    "workshop.return_part": "one: part.returned",
    "workshop.revoke_line": "one: line.begun",
    "workshop.send_estimate": "one: estimate.empty",
    "workshop.tell_promise": "one: promise.is_told",
    "workshop.withdraw_estimate": "one: estimate.none",
    "workshop.take_back_dispatch": "one: dispatch.ended",
    "workshop.void_certificate": "one: certificate.voided",
    "workshop.void_number": "one: certificate.number_taken",
    "workshop.unblock_bay": "one: block.ended",
    "workshop.change_tool": "both",
    "workshop.start_count": "one: count.open",
    "workshop.see_tool": "same",
    "workshop.close_count": "one: count.ended",
    "workshop.cancel_count": "one: count.ended",
    "workshop.issue_tool": "one: tool.out",
    "workshop.return_tool": "one: tool.not_out",
    "workshop.report_damage": "one: state.move",
    "workshop.stop_tool": "one: state.move",
    "workshop.scrap_tool": "one: state.move",
    "workshop.check_tool": "both",
    "workshop.remind_of_tool": "same",
    "workshop.open_accident": "one: accident.exists",
    "workshop.change_accident": "both",
    "workshop.ask_assessment": "one: assessment.asked",
    "workshop.agree_after_all": "one: line.not_declined",
    "workshop.agree_assessment": "one: state.move",
    "workshop.refuse_assessment": "one: state.move",
    "workshop.price_as_assessed": "one: difference.none",
    "workshop.bear_difference": "one: difference.none",
    "workshop.decline_difference": "both",
    "workshop.mark_structural": "one: structure.marked",
    "workshop.check_structure": "both",
    "workshop.open_warranty_claim": "one: warranty_claim.nothing",
    "workshop.ask_maker": "one: state.move",
    "workshop.start_warranty_repair": "one: state.move",
    "workshop.date_warranty_claim": "same",
    "workshop.complete_warranty_claim": "one: state.move",
    "workshop.submit_warranty_claim": "one: state.move",
    "workshop.return_warranty_claim": "one: state.move",
    "workshop.approve_warranty_claim": "one: state.move",
    "workshop.reject_warranty_claim": "one: state.move",
    "workshop.withdraw_warranty_claim": "one: state.move",
    "workshop.pay_warranty_claim": "one: state.move",
    "workshop.record_round": "one: lift.done",
    "workshop.look_at_gloves": "both",
    "workshop.keep_old_parts": "same",
    "workshop.shelve_old_part": "both",
    "workshop.release_old_part": "one: state.move",
    "workshop.return_old_part": "one: state.move",
    "workshop.scrap_old_part": "one: state.move",
    "workshop.give_old_part": "one: state.move",
    "workshop.decide_old_part": "one: old_part.same",
    "workshop.withdraw_line": "one: state.move",
    "workshop.withdraw_order": "one: order.ended",
}
# Commands whose meeting is proven elsewhere, or that no two people can meet on.
ELSEWHERE: dict[str, str] = {
    "delivery.remind_of_service": (
        "owner and car are held; once per car, kind and day is the database's: tests/delivery/test_service_reminders.py"
    ),
    "delivery.end_met_reminder": (
        "the reminder is held; one that is closed stays: tests/delivery/test_service_reminders.py"
    ),
    "workshop.put_out_sold": "part of sell, which holds the sale",
    "workshop.put_back_sold": "part of take_back_sold, which holds the sale",
    "workshop.put_in": "part of receive_purchase, which holds the purchase",
    "workshop.book_line": "part of close_take, which holds the stock-take",
    "workshop.take_off_tried": "part of take_trial_back, which holds the trial",
    "exchange.begin": "tests/exchange/test_setup.py opens an empty system twice at once",
    "exchange.make_store": "only the start of the demo makes its store, and one start runs at a time",
    "exchange.extend_rosters": "only the start of the demo tops rosters up, and one start runs at a time",
    "reception.take_mail": "part of read_mailbox, which holds the mailbox's mark",
    "reception.admit_visit": "part of open_repair_order, which holds the visit",
    "reception.depart_visit": "part of scan_out, which holds the visit",
    "reception.let_away": "part of scan_out, which holds the visit",
    "reception.take_in_again": "part of scan_back, which holds the visit",
    "workshop.drive_away": "part of scan_out, which holds the visit",
    "workshop.drive_back": "part of scan_back, which holds the visit",
    "workshop.car_drives_out": "part of scan_out, which holds the visit and its orders",
    "workshop.car_drives_in": "part of scan_back, which holds the visit and its orders",
}


def go(command: Callable[..., Any], /, **given: Any) -> Any:
    """Two do it at once; what came of it must be what ``STORY`` says. Returns what the winner made."""
    parts = command.__module__.split(".")
    name = f"{parts[parts.index('services') - 1]}.{command.__name__}"
    result, came = meet(command, **given)
    assert came == STORY[name], name
    return result


def test_people_and_rosters() -> None:
    store = staff.make_store()
    hr = staff.make_actor(store, "hr")
    manager = staff.make_actor(store, "manager")
    chief = machine("test", store_id=store.pk)
    person, other = staff.make_employee(store, login=False), staff.make_employee(store, "technician")
    today = clock.today()
    go(employees.give_login, employee_uid=person.uid, username="met", password="kite-Harbour-92", by=hr)
    go(employees.set_badge, employee_uid=person.uid, badge="K-0001", by=hr)
    go(employees.set_password, employee_uid=person.uid, password="lamp-River-4711", by=hr)
    holding = go(employees.give_post, employee_uid=person.uid, post_code="technician", starts_on=today, by=hr)
    go(employees.grade_skill, employee_uid=person.uid, skill_code="engine", level=2, by=hr)
    go(rosters.set_roster_day, employee_uid=person.uid, day=today, shift_code="DAY", by=manager)
    week = dict.fromkeys(range(7), "DAY")
    go(rosters.plan_roster, employee_uid=other.uid, first=today, last=today + timedelta(days=9), week=week, by=manager)
    absent = staff.make_employee(store, "foreman")
    deputyship = go(
        employees.appoint_deputy, absent_uid=absent.uid, deputy_uid=other.uid, post_code="foreman", starts_on=today,
        ends_on=today + timedelta(days=5), reason="休假", by=manager,
    )  # fmt: skip
    go(employees.end_deputyship, uid=deputyship.uid, ends_on=today, by=manager)
    go(employees.hand_over_work, from_uid=person.uid, to_uid=other.uid, reason="休假", by=manager)
    go(employees.end_post, holding_uid=PostHolding.objects.get(pk=holding.pk).uid, ends_on=today, by=hr)
    go(employees.end_employment, employee_uid=person.uid, left_on=today, by=hr)
    go(services.choose_language, language="en", by=hr)
    go(services.remember_preference, key="today.view", value="list", by=hr)
    given = {"kind": "test", "root": store, "store": store, "reason": "原因", "by": hr}
    asked = services.ask_approval(**given)
    go(services.decide_approval, uid=asked.uid, approve=True, by=manager)
    go(services.withdraw_approval, uid=services.ask_approval(**given).uid, by=hr)
    message = services.queue_message(
        key="met", store=store, channel="SMS", recipient="1", template="t", body="您好", by=chief
    )
    services.close_message(message=message, state="FAILED", by=chief)
    go(services.retry_message, uid=message.uid, by=staff.make_actor(store, "admin"))
    reader = staff.make_employee(store, "parts")
    to_reader = {"channel": "STAFF", "recipient": reader.number, "template": "t", "body": "x"}
    services.queue_message(key="reader", store=store, by=chief, **to_reader)
    go(inbox.read_messages, by=staff.actor_for(reader))
    credentials = make_credentials("reception:read", stores=[store])
    go(clients.withdraw_api_client, uid=credentials.client.uid, by=machine("tests"))
    bay = resources.add_resource(store=store, kind="BAY", code="B1", name="1 号工位", capability="PAINT", by=manager)
    go(resources.set_capacity, uid=bay.uid, capacity=2, by=manager)
    go(resources.switch_resource, uid=bay.uid, active=False, by=manager)
    go(resources.set_plate, uid=make_loan_car(store).uid, plate="京AB0002", by=manager)
    worker = plans.person_in_plan(employee=other, by=chief)
    go(resources.set_efficiency, uid=worker.uid, efficiency=80, by=manager)
    plan = maintenance.draft_plan(name="锐放保养", make="示例汽车", series="锐放", by=manager)
    oil, brakes = (Operation.objects.get(code=code).uid for code in ("MT-10", "MT-50"))
    go(maintenance.put_item, plan_uid=plan.uid, operation_uid=oil, every_km=8000, by=manager)
    maintenance.put_item(plan_uid=plan.uid, operation_uid=brakes, every_months=24, by=manager)
    go(maintenance.drop_item, plan_uid=plan.uid, operation_uid=brakes, by=manager)
    go(maintenance.release_plan, uid=plan.uid, starts_on=today, by=manager)
    following = go(maintenance.draft_next, uid=plan.uid, by=manager)
    go(maintenance.discard_plan, uid=following.uid, by=manager)
    sheet = sheet_versions.draft_template(code="HAND", name="交车检查", by=manager)
    lamp = {"code": "LAMP", "section": "LIGHTS", "kind": "NUMBER", "unit": "lx", "name": "灯光亮度"}
    go(sheet_versions.put_check_item, template_uid=sheet.uid, by=manager, **lamp)
    bound = {"code": "LAMP", "powertrain": "BEV", "red_below": Decimal(3)}
    go(sheet_versions.put_check_limit, template_uid=sheet.uid, by=manager, **bound)
    sheet_versions.put_check_item(template_uid=sheet.uid, by=manager, **lamp | {"code": "LAMP-2"})
    go(sheet_versions.drop_check_item, template_uid=sheet.uid, code="LAMP-2", by=manager)
    go(sheet_versions.release_template, uid=sheet.uid, starts_on=today, by=manager)
    next_sheet = go(sheet_versions.draft_next_template, uid=sheet.uid, by=manager)
    go(sheet_versions.discard_template, uid=next_sheet.uid, by=manager)
    car = {"make": "示例汽车", "series": "途远", "name": "2.0T", "powertrain": "ICE", "by": manager}
    car |= {"service_interval_km": 10_000, "service_interval_months": 12}
    model = go(models.add_model, **car)
    go(models.correct_model, uid=model.uid, aliases=["途远2.0T"], **car)
    go(models.end_model, uid=model.uid, ends_on=today, by=manager)
    facts = {"name": "示例作业", "hours": Decimal("0.5"), "by": manager}
    work = go(operations.add_operation, code="AB-01", **facts)
    go(operations.correct_operation, uid=work.uid, code="AB-01", **facts)
    go(operations.set_model_hours, operation_uid=work.uid, model_uid=model.uid, hours=Decimal("0.8"), by=manager)
    piece = go(part_master.add_master_part, number="NEW-1", name="示例件", unit="件", by=manager)
    go(part_master.correct_master_part, uid=piece.uid, name="示例件", unit="套", by=manager)
    go(operations.set_usual_part, operation_uid=work.uid, part_uid=piece.uid, quantity=Decimal(2), by=manager)


def test_customers_cars_and_reception() -> None:
    house = House()
    desk, store = house.advisor, house.floor.shop.store
    owner, buyer = make_customer(), make_customer()
    car = make_vehicle(owner_uid=owner.uid)
    go(customers.correct_customer, uid=owner.uid, name="张改名", by=desk)
    contact = {"customer_uid": owner.uid, "employee_uid": house.floor.shop.employee.uid}
    go(handing_over.name_contact, by=desk, **contact)
    go(customers.record_consent, customer_uid=owner.uid, purpose="SURVEY", given=True, by=desk)
    person = go(contacts.add_contact, customer_uid=owner.uid, name="李试开", roles=["DRIVER"], by=desk)
    go(contacts.correct_contact, uid=person.uid, note="周末开", by=desk)
    go(contacts.end_contact, uid=person.uid, by=desk)
    chief = kernel.make_actor("manager", store=store)
    word = tags.define_tag(name="大客户", by=chief)
    go(tags.change_tag, uid=word.uid, name="大客户", color="TEAL", by=chief)
    worn = go(tags.tag_customer, customer_uid=owner.uid, tag_uid=word.uid, by=desk)
    go(tags.untag_customer, uid=worn.uid, by=desk)
    go(tags.end_tag, uid=word.uid, by=chief)
    go(vehicles.register_vehicle, plate="京A00777", model_text="途远", by=desk)
    go(vehicles.correct_vehicle, uid=car.uid, color="白", by=desk)
    go(vehicles.change_owner, uid=car.uid, owner_uid=buyer.uid, on=clock.today(), by=desk)
    arrival = {
        "contact_name": "周试车",
        "contact_phone": "13800001111",
        "model_text": "途远",
        "need": "保养",
        "by": desk,
    }
    visit = go(visits.register_arrival, plate="京A00778", **arrival)
    go(visits.greet_visit, uid=visit.uid, by=desk)
    go(visits.lead_to_area, uid=visit.uid, area="LOUNGE", by=desk)
    go(visits.give_key, uid=visit.uid, key_tag="7", by=desk)
    go(visits.promise_visit, uid=visit.uid, promised_at=clock.now() + timedelta(hours=3), reason="首次承诺", by=desk)
    go(visits.add_photo, visit_uid=visit.uid, content=make_picture(), name="a.jpg", by=desk)
    trip = go(loans.give_loan_car, **given_loan(visit, make_loan_car(store)), by=desk)
    go(loans.keep_loan_car_longer, uid=trip.uid, expected_at=trip.expected_at + timedelta(hours=1), by=desk)
    back = {"odometer_km": 12080, "energy_eighths": 5, "condition": "完好"}
    go(loans.take_back_loan_car, uid=trip.uid, **back, by=desk)
    given = {"odometer_km": 1000, "energy_eighths": 4, "old_parts": "TAKE", "no_valuables": True}
    go(walkarounds.save_walkaround, visit_uid=visit.uid, by=desk, **given)
    mark = go(walkarounds.add_damage, visit_uid=visit.uid, side="LEFT", kind="SCRATCH", place="前门", by=desk)
    go(walkarounds.remove_damage, visit_uid=visit.uid, mark_uid=mark.uid, by=desk)
    go(walkarounds.sign_walkaround, visit_uid=visit.uid, signed_name="周试车", by=desk)
    visit = Visit.objects.get(pk=visit.pk)
    go(visits.send_link, uid=visit.uid, by=desk)
    go(visits.note_feedback, uid=visit.uid, words="接待热情", score=5, by=desk)
    go(visits.view_link, token=visit.link.token)
    go(visits.rate_reception, uid=visit.uid, rating=5, by=link_visit(visit))
    go(visits.explain_rating, uid=visit.uid, words="很周到", by=link_visit(visit))
    night = {"arrival_kind": "KEY_DROP", "key_locker": "7", "key_left_at": clock.now() - timedelta(hours=11)}
    dropped = visits.register_arrival(plate="京A00781", **arrival, **night)
    visits.greet_visit(uid=dropped.uid, by=desk)
    walkarounds.save_walkaround(visit_uid=dropped.uid, by=desk, odometer_km=1000, energy_eighths=4)
    go(walkarounds.send_walkaround, visit_uid=dropped.uid, by=desk)
    go(walkarounds.take_back_walkaround, visit_uid=dropped.uid, by=desk)
    walkarounds.send_walkaround(visit_uid=dropped.uid, by=desk)
    go(walkarounds.dispute_walkaround, visit_uid=dropped.uid, words="左门没有划痕", by=link_visit(dropped))
    walkarounds.send_walkaround(visit_uid=dropped.uid, by=desk)
    agreed = {"signed_name": "周试车", "old_parts": "TAKE", "no_valuables": True}
    go(walkarounds.confirm_walkaround, visit_uid=dropped.uid, by=link_visit(dropped), **agreed)
    go(customers.decide_consent_on_link, purpose="MARKETING", given=True, by=link_visit(visit))
    go(customers.prefer_on_link, language="en", channel="SMS", by=link_visit(visit))
    left = visits.register_arrival(plate="京A00779", **arrival)
    fetched = visits.register_arrival(plate="京A00782", **arrival)
    visits.leave_unserved(uid=fetched.uid, reason="改天再来", by=desk)
    way = {
        "kind": "PICK_UP",
        "vehicle_uid": fetched.vehicle.uid,
        "driver_uid": require_employee(desk).uid,
        "starts_at": clock.now() + timedelta(hours=1),
        "ends_at": clock.now() + timedelta(hours=2),
        "address": "示例路 1 号",
        "contact_name": "周试车",
        "contact_phone": "13800001111",
        "by": desk,
    }
    off = go(transports.plan_transport, **way)
    go(transports.call_off, uid=off.uid, reason="客户自己送来", by=desk)
    run = transports.plan_transport(**way)
    go(transports.set_out, uid=run.uid, by=desk)
    go(transports.take_over, uid=run.uid, odometer_km=900, energy_eighths=4, need="保养", by=desk)
    go(transports.arrive, uid=run.uid, by=desk)
    go(visits.leave_unserved, uid=left.uid, reason="没时间", by=desk)
    asked = visits.greet_visit(uid=visits.register_arrival(plate="京A00780", **arrival).uid, by=desk)
    go(visits.end_consultation, uid=asked.uid, outcome="CONSULTED", by=desk)
    counted = [
        {"visit_uid": v.uid, "car_found": True, "key_found": True, "place": "A1", "remark": ""}
        for v in Visit.objects.filter(store=store, state__in=("WAITING", "IN_RECEPTION", "IN_SHOP"))
    ]
    go(evening.count_evening, lines=counted, by=desk)
    manager = kernel.make_actor("manager", store=store)
    go(conduct.save_script, situation="WAITING", language="zh-hans", text="请用茶", by=manager)
    looked_at = [{"text": "咨询台整洁", "photo_if_wrong": False}]
    listed = go(checklists.write_checklist, area="DESK", shift_code="DAY", items=looked_at, by=manager)
    found = {"item_uid": listed.items.get().uid, "in_order": False, "remark": "有污渍", "photo": make_picture()}
    checked = go(checklists.check_opening, checklist_uid=listed.uid, answers=[found], by=desk)
    go(checklists.right_point, uid=checked.answers.get().uid, how="已清洁", by=desk)
    go(checklists.end_checklist, uid=listed.uid, by=manager)
    twins = [make_customer(name="双试", phone="13700000001") for _n in range(3)]
    go(merging.find_duplicates)
    go(merging.compare_two, uid=twins[0].uid, other_uid=twins[1].uid, by=manager)
    go(merging.keep_apart, uid=Duplicate.objects.get(first=twins[0], second=twins[2]).uid, by=manager)
    go(merging.merge_customers, kept_uid=twins[0].uid, merged_uid=twins[1].uid, by=manager)
    go(merging.undo_merge, uid=CustomerMerge.objects.get().uid, by=manager)
    go(vehicles.read_odometer, vehicle=Vehicle.objects.get(pk=car.pk), km=20_000, by=desk)
    go(vehicles.note_use, uid=car.uid, hard_uses=["TAXI"], by=desk)


def link_visit(visit: Visit) -> Any:
    from dealership.kernel.actors import customer_link

    return customer_link(visit_id=visit.pk, store_id=visit.store_id, token_id=str(visit.link.uid))


def test_questions() -> None:
    with clock.moved_to(booked.at("8:00")):
        shop = booked.make_bookable()
        desk = shop.desk

        def asked() -> Any:
            return consultations.register_consultation(
                channel="PHONE", body="多少钱？", contact_name="张试问", contact_phone="13900002299", by=desk
            ).uid

        uid = asked()
        go(consultations.take_consultation, uid=uid, by=desk)
        other = staff.make_employee(shop.store, "advisor")
        go(consultations.assign_consultation, uid=uid, employee_uid=other.uid, by=desk)
        go(
            consultations.ask_online,
            store=shop.store,
            contact_name="王试问",
            contact_phone="13900002288",
            body="多少钱？",
            topic="PRICE",
        )
        go(quotations.give_quotation, operation_uids=[booked.operation("MT-10")], consultation_uid=uid, by=desk)
        go(consultations.note_consultation, uid=uid, body="老客户", by=desk)
        go(consultations.snooze_consultation, uid=uid, until=booked.at("9:00"), by=desk)
        go(consultations.answer_consultation, uid=uid, body="468 元", way="PHONE", by=desk)
        go(consultations.receive_message, uid=uid, body="含工时吗？", by=desk)
        consultations.answer_consultation(uid=uid, body="含", way="PHONE", by=desk)
        go(consultations.settle_consultation, uid=uid, by=desk)
        go(consultations.close_consultation, uid=asked(), reason="广告", by=desk)
        lead = {"contact_name": "张试问", "contact_phone": "13900002299", "model_text": "途远", "topic": "MODEL"}
        go(consultations.hand_to_sales, uid=asked(), by=desk, **lead)
        appointment = booked.make_appointment(shop)
        go(consultations.convert_to_appointment, uid=asked(), appointment_uid=appointment.uid, by=desk)
        visit = make_visit(desk)
        go(consultations.convert_to_visit, uid=asked(), visit_uid=visit.uid, by=desk)
        words = {"title": "首保？", "body": "五千公里。", "review_on": clock.today() + timedelta(days=90)}
        keeper = staff.make_actor(shop.store, "care")
        article = knowledge.write_article(topic="INTERVAL", by=keeper, **words)
        words["body"] = "七千五百公里。"
        go(knowledge.revise_article, uid=article.uid, starts_on=clock.today(), by=keeper, **words)
        go(knowledge.review_article, uid=article.uid, review_on=clock.today() + timedelta(days=180), by=keeper)
        go(knowledge.give_article, uid=article.uid, employee_uid=other.uid, by=keeper)
        go(knowledge.withdraw_article, uid=article.uid, reason="停止", by=keeper)
        go(consultations.save_template, title="价格", topic="PRICE", body="{name}您好", by=machine("tests"))


def test_bookings() -> None:
    with clock.moved_to(booked.at("8:00")):
        shop = booked.make_bookable(bays=("STANDARD_LIFT", "STANDARD_LIFT", "ALIGNMENT_RACK"), technicians=2)
        appointment = go(appointments.book_appointment, **booked.booking(), by=shop.desk)
        later = booked.at("14:30", booked.TUESDAY)
        go(appointments.move_appointment, uid=appointment.uid, starts_at=later, reason="客户改期", by=shop.desk)
        go(appointments.confirm_parts, uid=appointment.uid, by=shop.parts)
        go(appointments.confirm_workshop, uid=appointment.uid, by=shop.foreman)
        late = {"reason": "备件被领走", "by": shop.parts}
        go(appointments.report_part_missing, uid=appointment.uid, **late)
        go(calendars.issue_calendar, by=shop.desk)
        go(calendars.stop_calendar, by=shop.desk)
        chief = machine("tests", store_id=shop.store.pk)
        resources.add_resource(store=shop.store, kind="LOAN_CAR", code="LC1", name="代步车 1", by=chief)
        lent = appointments.book_appointment(
            **booked.booking(waiting_mode="LOANER", starts_at=booked.at("8:30", booked.TUESDAY)), by=shop.desk
        )
        longer = booked.at("17:00", booked.TUESDAY + timedelta(days=1))
        ahead = {"method": "CASH", "amount": Decimal(50), "by": chief}
        go(deposits.take_booking_deposit, appointment_uid=lent.uid, **ahead)
        go(appointments.extend_loan, uid=lent.uid, ends_at=longer, by=shop.desk)
        car = loan_of(lent)
        go(plans.extend, reservation_uid=car.uid, ends_at=longer + timedelta(hours=1), by=chief)
        go(appointments.cancel_appointment, uid=appointment.uid, reason="客户取消", by=shop.desk)
        given = {
            "store": shop.store, "contact_name": "李试约", "contact_phone": "13900002291", "plate": "京A00781",
            "model_text": "途远", "starts_at": later, "concern": "保养",
        }  # fmt: skip
        asked = go(appointments.request_appointment, **given)
        go(appointments.confirm_appointment, uid=asked.uid, by=shop.desk)
        wednesday = booked.TUESDAY + timedelta(days=1)
        own = booked.make_appointment(shop, starts_at=booked.at("9:30", wednesday))
        go(changing.move_online, appointment=own, starts_at=booked.at("13:30", wednesday))
        held = go(waiting.wait_instead, appointment_uid=own.uid, first_day=booked.TUESDAY, by=shop.desk)
        waiting.withdraw_entry(uid=held.uid, reason="不换了", by=shop.desk)
        held = go(changing.wait_online, appointment=own, day=booked.TUESDAY)
        waiting.withdraw_entry(uid=held.uid, reason="不换了", by=shop.desk)
        go(changing.cancel_online, appointment=own)
        wish = {**booked.booking(), "first_day": booked.TUESDAY, "by": shop.desk}
        wish.pop("starts_at")
        entry = go(waiting.join_waiting_list, **wish)
        by = machine("waiting-list", store_id=shop.store.pk)
        go(waiting.offer_time, uid=entry.uid, by=by)  # who comes second finds the offer made and makes none
        go(waiting.decline_offer, token=SlotOffer.objects.get(entry=entry, state="OPEN").token)
        waiting.offer_time(uid=entry.uid, by=by)
        go(waiting.take_offer, token=SlotOffer.objects.get(entry=entry, state="OPEN").token)
        wish = {**booked.booking(), "first_day": booked.TUESDAY, "by": shop.desk}
        wish.pop("starts_at")
        entry = waiting.join_waiting_list(**wish)
        waiting.offer_time(uid=entry.uid, by=by)
        with clock.moved_to(booked.at("12:00")):
            go(waiting.tend_entry, uid=entry.uid, by=by)
        go(waiting.withdraw_entry, uid=entry.uid, reason="不修了", by=shop.desk)
    with clock.moved_to(booked.at("15:00")):
        go(appointments.remind_customer, uid=asked.uid, by=machine("reminders", store_id=shop.store.pk))
    with clock.moved_to(later + timedelta(minutes=45)):
        go(appointments.mark_no_show, uid=asked.uid, by=shop.desk)
        bays = Resource.objects.filter(store=shop.store, kind=ResourceKind.BAY).order_by("pk")
        start = booked.at("9:00", booked.TUESDAY + timedelta(days=2))
        given = {"starts_at": start, "ends_at": start + timedelta(hours=1), "purpose": "BLOCKED", "subject_uid": None}
        plan = go(plans.reserve, resource_uid=bays[0].uid, by=shop.foreman, **given)
        go(plans.reserve_all, resource_uids=[bays[1].uid, bays[2].uid], by=shop.foreman, **given)
        go(plans.release, reservation_uid=plan.uid, by=shop.foreman)


ROW = [1, "张导入", "13900007777", "京A·8K312", vin_of(1), "途远", "", "", ""]


class _Batch:
    """An import of one customer, read and waiting for a yes."""

    def __new__(cls, by: Any) -> Any:
        batch = imports.upload_import(content=as_csv([ROW], titles=False), file_name="a.csv", by=by)
        return imports.read_import(uid=batch.uid)


def test_imports_and_the_queue() -> None:
    store = kernel.make_store()
    clerk = kernel.make_actor("manager", store=store)
    go(imports.discard_import, uid=_Batch(clerk).uid, by=clerk)
    batch = _Batch(clerk)
    go(imports.confirm_import, uid=batch.uid, by=clerk)
    go(imports.write_step, uid=batch.uid)
    assert Customer.objects.filter(name="张导入").count() == 1
    imports.write_import(uid=batch.uid)
    go(imports.ask_undo, uid=batch.uid, by=clerk)
    go(imports.undo_import, uid=batch.uid, by=clerk)
    assert not Customer.objects.filter(name="张导入").exists()

    admin = kernel.make_actor("admin", store=store)
    by = machine("test", store_id=store.pk)
    message = services.queue_message(key="m", store=store, channel="SMS", recipient="1", template="t", body="x", by=by)
    row = Outbox.objects.get(root_uid=message.uid)
    Outbox.objects.filter(pk=row.pk).update(state="PARKED", attempts=8)
    go(retry_event, event_id=row.event_id, handler=row.handler, by=admin)
    meant = [meet(outbox.deliver, outbox_id=row.pk)[1]]
    assert meant == ["same"], "two workers with the same message: one sends it"
    assert History.objects.filter(root_uid=message.uid, code="kernel.message.sent").count() == 1


def test_the_order_and_the_floor() -> None:
    with clock_at(9):
        house = House()
        floor, desk, store = house.floor, house.advisor, house.floor.shop.store
        setup = machine("test", store_id=store.pk)
        pads = part("BRK-PAD-F")
        go(stock.receive_stock, part_uid=pads.uid, quantity=Decimal(10), unit_cost=Decimal(90), by=setup)
        visit = make_received_visit(floor.shop)
        order = go(orders.open_repair_order, visit_uid=visit.uid, complaint="异响", by=desk)
        line = go(orders.add_line, order_uid=order.uid, operation_uid=operation("MT-50").uid, parts=[], by=desk)
        go(orders.change_line, line_uid=line.uid, hours=Decimal("0.8"), by=desk)
        go(orders.add_line_photo, line_uid=line.uid, content=make_picture(), by=desk)
        go(orders.add_line_photos, line_uid=line.uid, contents=[make_picture()], by=desk)
        put = go(orders.add_part, line_uid=line.uid, part_uid=pads.uid, quantity=Decimal(1), by=desk)
        go(orders.change_part, part_line_uid=put.uid, quantity=Decimal(2), by=desk)
        go(orders.discount_line, line_uid=line.uid, amount=Decimal("1.00"), reason="老客户", by=desk)
        go(orders.discount_part, part_line_uid=put.uid, amount=Decimal("1.00"), reason="老客户", by=desk)
        put, gone = PartLine.objects.filter(line=line).order_by("id")  # both added one
        other = Part.objects.exclude(pk=pads.pk).order_by("pk")[0]
        disc = part("BRK-DISC-R")
        stock.receive_stock(part_uid=disc.uid, quantity=Decimal(1), unit_cost=Decimal(100), by=setup)
        go(catalogue_parts.set_tracing, part_uid=disc.uid, tracing="BATCH", by=setup)
        there = StockItem.objects.get(store=store, part=disc)
        go(stock.name_stock, uid=there.uid, lots=["B-1"], by=setup)
        go(
            catalogue_parts.set_handling, part_uid=part("BRK-DISC-R").uid, leaves_old=True, high_voltage=True, by=setup
        )  # fmt: skip
        follows = go(
            catalogue_replacements.replace_part, part_uid=pads.uid, other_uid=other.uid, kind="STAND_IN", by=setup
        )  # fmt: skip
        go(replacements.take_replacement, part_line_uid=gone.uid, part_uid=other.uid, by=desk)
        go(catalogue_replacements.end_replacement, uid=follows.uid, by=setup)
        go(orders.remove_part, part_line_uid=gone.uid, by=desk)
        extra = add_operation(floor.shop, order, "MT-10", parts=[])
        go(orders.cancel_line, line_uid=extra.uid, reason="写错了", by=desk)
        no = add_operation(floor.shop, order, "MT-10", parts=[])
        go(orders.send_estimate, order_uid=order.uid, by=desk)
        estimate = Estimate.objects.filter(order=order).latest("id")
        go(authorizations.note_estimate_viewed, estimate_uid=estimate.uid, by=link_actor(order))
        open_lines = list(order.lines.filter(state="PENDING").values_list("uid", flat=True))
        decisions = dict.fromkeys(open_lines, YES) | {no.uid: (False, "太贵")}
        go(
            authorizations.decide_lines, order_uid=order.uid, decisions=decisions, method="VERBAL_PHONE",
            authorized_by="沈示例", note="电话同意", by=desk,
        )  # fmt: skip
        go(authorizations.offer_again, line_uid=no.uid, by=desk)
        asked = services.ask_approval(
            kind=orders.DISCOUNT, root=no, store=store, reason="老客户", amount=Decimal("2.00"), by=desk
        )
        services.decide_approval(uid=asked.uid, approve=True, by=floor.shop.manager)
        go(orders.give_approved_discount, approval=Approval.objects.get(pk=asked.pk))
        cheaper = orders.add_part(line_uid=no.uid, part_uid=pads.uid, quantity=Decimal(1), by=desk)
        asked = services.ask_approval(
            kind=orders.PART_DISCOUNT, root=cheaper, store=store, reason="老客户", amount=Decimal("2.00"), by=desk
        )
        services.decide_approval(uid=asked.uid, approve=True, by=floor.shop.manager)
        go(orders.give_approved_part_discount, approval=Approval.objects.get(pk=asked.pk))
        brought = orders.add_part(
            line_uid=no.uid, part_uid=disc.uid, quantity=Decimal(1), kind="CUSTOMER_SUPPLIED", by=desk
        )
        go(
            own_parts.check_own_part, part_line_uid=brought.uid, condition="NEW", packaging="SEALED", damaged=False,
            fits=True, by=desk,
        )  # fmt: skip
        bigger = make_order(floor.shop)
        orders.add_line(order_uid=bigger.uid, description="大修", hours=Decimal(20), by=desk)
        orders.send_estimate(order_uid=bigger.uid, by=desk)
        go(orders.withdraw_estimate, order_uid=bigger.uid, reason="漏了一项", by=desk)
        orders.send_estimate(order_uid=bigger.uid, by=desk)
        go(contracts.sign_contract, order_uid=bigger.uid, signed_name="沈示例", on_paper=True, by=desk)
        second_hand = add_operation(floor.shop, bigger, "MT-10", parts=[], pay_type="INTERNAL")
        orders.add_part(
            line_uid=second_hand.uid, part_uid=part("FLT-OIL-01").uid, quantity=Decimal(1), kind="USED", by=desk
        )
        orders.send_estimate(order_uid=bigger.uid, by=desk)
        go(part_consents.sign_part_consent, line_uid=second_hand.uid, signed_name="沈示例", on_paper=True, by=desk)
        kind = add_operation(floor.shop, order, "MT-10", parts=[], pay_type="GOODWILL")
        wish = go(goodwill.ask_line_goodwill, line_uid=kind.uid, bearer="SHOP", reason="刚过保", by=desk)
        services.decide_approval(uid=wish.approval.uid, approve=True, by=floor.shop.manager)
        go(goodwill.give_approved_goodwill, approval=Approval.objects.get(pk=wish.approval_id))
        orders.withdraw_line(line_uid=kind.uid, reason="不做了", by=desk)
        dear = orders.add_line(order_uid=order.uid, description="大件", hours=Decimal(40), pay_type="INTERNAL", by=desk)
        payer = order.customer
        ahead = go(
            standing.give_standing_consent, customer_uid=payer.uid, up_to=Decimal(500), given_by=payer.name, how="PAPER",
            ends_on=clock.today() + timedelta(days=30), by=desk,
        )  # fmt: skip
        go(standing.end_standing_consent, uid=ahead.uid, reason="逐项确认", by=desk)
        ours = go(payers.ask_payer, line_uid=dear.uid, reason="本店弄坏", by=desk)
        services.decide_approval(uid=ours.approval.uid, approve=True, by=floor.shop.manager)
        go(payers.give_payer_yes, approval=Approval.objects.get(pk=ours.approval_id))
        orders.withdraw_line(line_uid=dear.uid, reason="不做了", by=desk)
        go(stock.keep_for_line, line_uid=line.uid, by=setup)
        go(stock.reserve_part, part_line_uid=put.uid, by=setup)
        go(stock.reserve_parts, order_uid=order.uid, by=setup)
        put.refresh_from_db()
        go(stock.issue_part, part_line_uid=put.uid, quantity=put.quantity, by=setup)
        go(stock.return_part, part_line_uid=put.uid, quantity=put.quantity, reason="不用了", by=setup)
        go(stock.count_stock, part_uid=pads.uid, counted=Decimal(9), reason="盘点", by=setup)
        wanted = [(pads.uid, Decimal(2), Decimal(90))]
        whole = go(purchasing.order_parts, supplier="示例备件", expected_on=DAY, lines=wanted, by=setup)
        go(purchasing.change_expected, uid=whole.uid, expected_on=DAY + timedelta(days=1), by=setup)
        came = [(whole.lines.get().uid, Decimal(2))]
        go(purchasing.receive_purchase, uid=whole.uid, lines=came, by=setup)
        given_up = purchasing.order_parts(supplier="示例备件", expected_on=DAY, lines=wanted, by=setup)
        go(purchasing.end_purchase, uid=given_up.uid, reason="停产", by=setup)
        go(stock.open_warehouse, code="T", name="轮胎库", by=setup)
        firm = go(suppliers.enter_supplier, name="示例轮胎行", kind="PARTS", by=setup)
        go(suppliers.correct_supplier, uid=firm.uid, name="示例轮胎行", kind="BOTH", by=setup)
        sale = sales.begin_sale(by=setup)
        pair = go(sales.put_on_sale, uid=sale.uid, code=pads.number, by=setup)
        go(sales.take_off_sale, line_uid=pair.uid, by=setup)
        sales.put_on_sale(uid=sale.uid, code=pads.number, by=setup)
        go(sales.change_sale, uid=sale.uid, by=setup)
        bought = go(sales.sell, uid=sale.uid, by=setup)
        go(sales.drop_sale, uid=sales.begin_sale(by=setup).uid, by=setup)
        till = {"sale_uid": sale.uid, "method": "CASH", "amount": bought.total}
        paid = go(counter_money.take_sale_payment, **till, by=house.cashier)
        go(sales.take_back_sold, line_uid=bought.lines.get().uid, quantity=Decimal(1), reason="买错", by=setup)
        go(counter_money.refund_sale_payment, payment_uid=paid.uid, amount=bought.total, reason="退货", by=setup)
        core = make_paid_core(make_received_visit(floor.shop))
        came = go(cores.take_core, core_uid=core.uid, quantity=Decimal(1), brought_by="沈示例", by=setup)
        go(cores.send_core, uid=came.uid, reference="SF-1", by=setup)
        go(cores.credit_core, uid=came.uid, amount=Decimal(280), by=setup)
        go(counter_cores.pay_core_back, core_uid=core.uid, method="CASH", amount=Decimal(300), by=setup)
        tried = {"part_uid": pads.uid, "order_uid": order.uid, "employee_uid": house.worker.uid, "by": setup}
        lent = go(trials.lend_part, **tried)
        go(trials.take_trial_back, uid=lent.uid, condition="UNOPENED", by=setup)
        other_one = PartTrial.objects.filter(state="OUT").get()  # both took one
        go(trials.issue_trial, uid=other_one.uid, by=setup)
        lying = StockItem.objects.get(store=store, part=pads).bins.get()
        go(stock.transfer_stock, from_uid=lying.uid, quantity=Decimal(6), to_bin="B", by=setup)
        desk_of_parts, main = actor(floor.hire("parts")), lying.warehouse
        begun = go(taking_stock.start_take, warehouse_uid=main.uid, by=desk_of_parts)
        go(taking_stock.cancel_take, uid=begun.uid, note="误开", by=desk_of_parts)
        piece = Part.objects.exclude(stock__store=store).filter(tracing="NONE").order_by("pk")[0]
        stock.receive_stock(part_uid=piece.uid, quantity=Decimal(2), unit_cost=Decimal(9), bin="T-1", by=setup)
        begun = taking_stock.start_take(warehouse_uid=main.uid, bin_from="T-1", bin_to="T-1", by=desk_of_parts)
        go(taking_stock.count_line, uid=begun.uid, part=piece.number, counted=Decimal(1), by=desk_of_parts)
        go(taking_stock.close_take, uid=begun.uid, note="短少", by=desk_of_parts)
        there = StockItem.objects.get(store=store, part=disc)
        begun = taking_stock.start_take(warehouse_uid=main.uid, by=desk_of_parts)
        taking_stock.count_line(uid=begun.uid, part=disc.number, counted=Decimal(0), by=desk_of_parts)
        go(taking_stock.name_difference, uid=begun.uid, part=disc.number, codes=["B-1"], by=desk_of_parts)
        promised = at(15)
        go(orders.change_promise, order_uid=order.uid, promised_at=promised, reason="等配件", by=desk)
        go(orders.tell_promise, order_uid=order.uid, how="PHONE", told_to="沈示例", by=desk)

        second, lines = make_agreed(floor, "MT-50", "MT-10")
        work, spare = lines
        given = {"technician_uid": house.worker.uid, "bay_uid": floor.bays["2"].uid, "starts_at": at(9)}
        planned = go(dispatch.dispatch_line, line_uid=work.uid, by=floor.foreman, **given)
        go(dispatch.take_back_dispatch, uid=planned.uid, reason="换人", by=floor.foreman)
        screen = screens.add_screen(name="大厅", by=floor.foreman)
        go(screens.end_screen, uid=screen.uid, by=floor.foreman)
        keeper = floor.hire("parts")
        tool = tools.register_tool(number="G-1", name="扳手", kind="JACK", place="A", keeper_uid=keeper.uid, by=setup)
        go(tools.change_tool, uid=tool.uid, name="千斤顶", place="B", keeper_uid=keeper.uid, by=setup)
        go(tools.issue_tool, uid=tool.uid, employee_uid=keeper.uid, by=setup)
        go(tools.return_tool, uid=tool.uid, condition="GOOD", by=setup)
        go(tools.report_damage, uid=tool.uid, note="漏油", by=setup)
        go(tools.check_tool, uid=tool.uid, done_on=DAY, result="PASSED", body="维修商", by=setup)
        go(tools.stop_tool, uid=tool.uid, note="等配件", by=setup)
        go(tools.scrap_tool, uid=tool.uid, note="修不好", by=setup)
        counter, checker = actor(keeper), actor(floor.hire("parts"))
        spare_tool = tools.register_tool(
            number="G-3", name="锤", kind="GENERAL", place="A", keeper_uid=keeper.uid, by=setup
        )
        begun = go(counting.start_count, by=counter)
        go(counting.cancel_count, uid=begun.uid, note="误开", by=counter)
        begun = counting.start_count(by=counter)
        go(counting.see_tool, uid=begun.uid, number=spare_tool.number, by=counter)
        go(counting.close_count, uid=begun.uid, by=checker)
        gloves = tools.register_tool(
            number="G-2", name="手套", kind="GLOVES", place="A", keeper_uid=keeper.uid, by=setup
        )
        go(tools.remind_of_tool, uid=gloves.uid, by=setup)
        go(glove_looks.look_at_gloves, uid=gloves.uid, by=counter)
        lift = tools.register_tool(number="G-4", name="举升机", kind="LIFT", place="B", keeper_uid=keeper.uid, by=setup)
        go(lifts.record_round, uid=lift.uid, kind="DAILY", by=counter)
        leaks = {"bay_uid": floor.bays["4"].uid, "starts_at": at(14), "ends_at": at(15), "reason": "漏油"}
        block = go(blocking.block_bay, by=floor.foreman, **leaks)
        go(blocking.unblock_bay, uid=block.uid, by=floor.foreman)
        onto = {"line_uid": work.uid, "resource_uid": floor.bays["2"].uid, "starts_at": at(13)}
        dropped = go(dispatch.drop_line, by=floor.foreman, **onto)
        moved = go(dispatch.move_dispatch, uid=dropped.uid, starts_at=at(14), by=floor.foreman)
        dispatch.take_back_dispatch(uid=moved.uid, reason="换人", by=floor.foreman)
        asked = go(proposals.ask_proposal, by=floor.foreman)
        proposals.work_out(uid=asked.uid)
        go(proposals.reject_proposal, uid=asked.uid, by=floor.foreman)
        go(proposals.fail_proposal, uid=proposals.ask_proposal(by=floor.foreman).uid, problem="lost")
        ready = proposals.ask_proposal(by=floor.foreman)
        proposals.work_out(uid=ready.uid)
        go(proposals.accept_proposal, uid=ready.uid, by=floor.foreman)
        for row in Dispatch.objects.filter(live=True):
            dispatch.take_back_dispatch(uid=row.uid, reason="手工改派", by=floor.foreman)
        go(clocking.hold_line, line_uid=work.uid, cause="TOOL", note="送检", by=floor.foreman)
        go(clocking.release_line, line_uid=work.uid, by=floor.foreman)
        floor.give(work, house.worker)
        go(shares.set_shares, line_uid=work.uid, shares={house.worker.uid: 100}, reason="核对", by=floor.foreman)
        made = go(clocking.clock_on, line_uid=work.uid, by=actor(house.worker))
        floor.hire("parts")
        called = go(findings.ask_for, line_uid=work.uid, need="PARTS", note="卡扣", by=actor(house.worker))
        go(findings.answer_call, uid=called.uid, answer="COMING", by=floor.foreman)
        heard, next_one = floor.hire("foreman"), floor.hire("leader")
        help_asked = findings.ask_for(line_uid=work.uid, need="HELP", by=actor(house.worker))
        go(findings.pass_call, uid=help_asked.uid, to_uid=next_one.uid, by=actor(heard))
        go(findings.report_more_work, line_uid=work.uid, cause="片薄", description="换片", by=actor(house.worker))
    with clock_at(10):
        go(clocking.clock_off, pause_cause="BREAK", by=actor(house.worker))
        go(
            clocking.correct_clocking,
            uid=made.uid,
            started_at=at(9, 5),
            ended_at=at(9, 50),
            reason="忘打卡",
            by=floor.foreman,
        )
        clocking.clock_on(line_uid=work.uid, by=actor(house.worker))
        go(clocking.finish_line, line_uid=work.uid, cause="磨损", correction="换新", by=actor(house.worker))
        go(findings.end_calls, line_uid=work.uid, by=floor.foreman)
        go(authorizations.revoke_line, line_uid=spare.uid, reason="客户取消", by=desk)
        said = {
            "authorized_by": spare.authorizations.order_by("pk")[0].authorized_by,
            "note": "来电改为同意",
            "by": desk,
        }
        go(authorizations.agree_after_all, line_uid=spare.uid, **said)
        authorizations.revoke_line(line_uid=spare.uid, reason="仍不做", by=desk)
        scanner, (_scanned, [job]) = floor.technician("扫码工"), make_agreed(floor, "MT-50")
        floor.give(job, scanner, "4", (16, 0))
        go(kiosk.clock_by_scan, employee_uid=scanner.uid, code=job_code(job), by=setup)
        wait = make_away_wait(desk)
        go(away.cancel_away, uid=wait.uid, by=desk)
        held = wait.order.lines.get()
        noted = {"reason": "等雨刮", "expected_on": DAY, "safe_to_drive": True}
        go(away.plan_away, order_uid=wait.order.uid, by=desk, **noted)
        leaves = handovers.issue_gate_pass(visit_uid=wait.visit.uid, kind="PARTS_WAIT", by=desk)
        handovers.scan_out(code=leaves.code, by=setup)
        clocking.release_line(line_uid=held.uid, by=setup)
        go(away.note_part_came, line_uid=held.uid, by=setup)
        two = [Operation.objects.get(code=code).uid for code in ("MT-50", "TY-20")]
        new = {
            "code": "PK-1",
            "name": "换液套餐",
            "price": Decimal(100),
            "operation_uids": two,
            "starts_on": clock.today(),
        }
        offer = go(catalogue_packages.set_package, by=floor.shop.manager, **new)
        put = go(packages.put_package, order_uid=wait.order.uid, package_uid=offer.uid, by=desk)
        go(packages.dissolve_package, uid=put.uid, reason="客户不做", by=desk)
        go(catalogue_packages.end_package, uid=offer.uid, ends_on=clock.today(), by=floor.shop.manager)
        _out, [outside] = make_agreed(floor, "MT-50")
        firm = {
            "supplier": "示例机加工厂",
            "work": "磨平",
            "leaves": "PART",
            "item": "缸盖",
            "agreed_cost": Decimal(300),
        }
        firm |= {"line_uid": outside.uid, "expected_at": at(17), "by": setup}
        sent = go(sublets.order_sublet, **firm)
        go(sublets.change_sublet_day, uid=sent.uid, expected_at=at(16), by=setup)
        go(sublets.send_sublet, uid=sent.uid, by=setup)
        go(sublets.take_back_sublet, uid=sent.uid, by=setup)
        go(sublets.check_sublet, uid=sent.uid, ok=True, by=setup)
        go(sublets.bill_sublet, uid=sent.uid, final_cost=Decimal(300), by=setup)
        go(sublets.cancel_sublet, uid=sublets.order_sublet(**firm).uid, reason="不外协了", by=setup)
        _third, others = make_agreed(floor, "MT-50")
        go(orders.withdraw_line, line_uid=others[0].uid, reason="客户取消", by=desk)
        fourth, _lines = make_agreed(floor, "MT-50")
        go(orders.withdraw_order, order_uid=fourth.uid, reason="客户取消", by=desk)
        go(inspections.inspect_order, order_uid=second.uid, level="SELF", result="PASSED", by=actor(house.worker))
        go(inspections.allot_certificates, prefix="沪A", first=101, last=110, by=setup)
        allotted = CertificateRange.objects.get()
        go(inspections.void_number, range_uid=allotted.uid, serial=101, reason="撕坏了", by=setup)
        opened = make_order(floor.shop, with_diagnosis=False)
        taken = {
            "description": "拆检",
            "hours": Decimal("0.5"),
            "is_dismantling": True,
            "reassembly_amount": Decimal(50),
        }
        apart = orders.add_line(order_uid=opened.uid, by=desk, **taken)
        agree_all(floor.shop, opened)
        opener = floor.technician(name="拆试工")
        floor.give(apart, opener, start=(16, 45))
        clocking.clock_on(line_uid=apart.uid, by=actor(opener))
        go(reassembly.reassemble_line, line_uid=apart.uid, by=desk)
        _fifth, lines = make_agreed(floor, "MT-50")
        forgetful = floor.technician(name="陶试忘")
        floor.give(lines[0], forgetful, bay="4", start=(15, 0))
        left = clocking.clock_on(line_uid=lines[0].uid, by=actor(forgetful))
    with clock_at(20):
        go(clocking.close_left_clocking, uid=left.uid, by=machine("clocks", store_id=store.pk))


def test_kept_parts() -> None:
    with clock_at(9):
        floor = House().floor
        setup = machine("test", store_id=floor.shop.store.pk)
        asked = [make_order(floor.shop, with_diagnosis=False) for _turn in range(2)]
        kept, lacking = (add_operation(floor.shop, order, "BR-10").part_lines.get() for order in asked)
        for order in asked:
            agree_all(floor.shop, order)
        stock.receive_stock(part_uid=kept.part.uid, quantity=kept.quantity, unit_cost=Decimal(9), by=setup)
        for row in (kept, lacking):
            stock.reserve_part(part_line_uid=row.uid, by=setup)
        go(stock.move_reservation, source_uid=kept.uid, target_uid=lacking.uid, reason="客户等候", by=setup)
        go(stock.expect_part, part_line_uid=kept.uid, expected_on=DAY + timedelta(days=9), by=setup)


def test_money_gate_and_what_follows() -> None:
    with clock_at(9):
        house = House()
        desk, store = house.advisor, house.floor.shop.store
        manager, care = house.floor.shop.manager, actor(house.floor.hire("care"))
        order = house.repaired("MT-80")
        setup = machine("test", store_id=store.pk)
        inspections.allot_certificates(prefix="沪A", first=101, last=110, by=setup)
        certificate = go(inspections.issue_certificate, order_uid=order.uid, by=actor(house.inspector))
        go(inspections.void_certificate, uid=certificate.uid, reason="写错了", by=actor(house.inspector))
        inspections.issue_certificate(order_uid=order.uid, by=actor(house.inspector))
        accountant = actor(house.floor.hire("accountant"))
        ahead = {"order_uid": order.uid, "method": "CASH", "amount": Decimal(50)}
        go(deposits.take_deposit, **ahead, by=house.cashier)
        first, second = Deposit.objects.order_by("id")  # both took one
        back = {"amount": Decimal(50), "reason": "退订", "by": accountant}
        go(deposits.return_deposit, deposit_uid=first.uid, **back)
        deposits.return_deposit(deposit_uid=second.uid, **back)
        waived = go(settlements.ask_goodwill, order_uid=order.uid, amount=Decimal(10), reason="等待过久", by=desk)
        services.withdraw_approval(uid=waived.uid, by=desk)
        settlement = go(settlements.issue_settlement, order_uid=order.uid, by=desk)
        go(settlements.void_settlement, uid=settlement.uid, reason="写错了", by=manager)
        settlement = settlements.issue_settlement(order_uid=order.uid, by=desk)
        go(settlements.sign_settlement, uid=settlement.uid, signed_name="沈示例", by=link_actor(order))
        upload = go(health_uploads.queue_upload, settlement_uid=settlement.uid, by=setup)
        go(health_uploads.claim_upload, uid=upload.uid, by=setup)
        go(health_uploads.note_answer, uid=upload.uid, problem="503", by=setup)
        go(health_uploads.send_again, uid=upload.uid, by=manager)
        go(health_uploads.enter_by_hand, uid=upload.uid, reference="SH-1", by=manager)
        go(settlements.ask_unpaid_exit, uid=settlement.uid, reason="月结", by=desk)
        given = {"settlement_uid": settlement.uid, "method": "SCAN_CODE", "amount": settlement.total}
        payment = go(payments.take_payment, **given, by=house.cashier)
        go(payments.refund_payment, payment_uid=payment.uid, amount=settlement.total, reason="退款", by=accountant)
        payments.take_payment(**given, by=house.cashier)
        visit = order.visit
        road = go(handovers.issue_gate_pass, visit_uid=visit.uid, kind="ROAD_TEST", reason="试车", by=desk)
        go(handovers.cancel_gate_pass, uid=road.uid, by=desk)
        road = handovers.issue_gate_pass(visit_uid=visit.uid, kind="ROAD_TEST", reason="试车", by=desk)
        handovers.scan_out(code=road.code, by=house.guard)
        go(handovers.scan_back, code=road.code, by=house.guard)
        go(
            handovers.hand_over,
            visit_uid=visit.uid,
            checklist=CHECKED,
            odometer_km=48935,
            received_by="沈示例",
            by=desk,
        )
        gate_pass = handovers.issue_gate_pass(visit_uid=visit.uid, kind="DELIVERED", by=desk)
        go(handovers.scan_out, code=gate_pass.code, by=house.guard)
        follow_up = go(followups.plan_follow_up, visit_uid=visit.uid, by=setup)
        go(followups.record_call, uid=follow_up.uid, result="REACHED", note="很满意", by=care)
        go(followups.send_survey, visit_uid=visit.uid, by=setup)
        make_ending(visit, by=care)
        go(reminders.remind_of_dates, vehicle_uid=visit.vehicle.uid, store=visit.store, by=setup)
        told = DateReminder.objects.get(vehicle=visit.vehicle, kind="INSURANCE")
        go(reminders.close_date_reminder, uid=told.uid, result="WITH_US", by=care)
        good = {"RECEPTION": 5, "FACILITY": 4, "PROCESS": 5, "QUALITY": 5, "DELIVERY": 4}
        go(followups.answer_survey, visit_uid=visit.uid, scores=good, recommend=9, by=link_actor(order))
        with clock.moved_to(at(9, day=date(2012, 1, 2))):  # long enough ago that its time has run out by any clock
            archive = go(archives.archive_order, order_uid=order.uid, by=setup)
        late = settlement.payments.order_by("-id")[0]
        payments.refund_payment(payment_uid=late.uid, amount=late.amount, reason="刷错卡", by=accountant)
        go(archives.add_to_file, order_uid=order.uid, because="delivery.payment.refunded", by=setup)
        case = go(
            complaints.open_complaint, customer_uid=visit.customer.uid, description="没修好", source="PHONE",
            visit_uid=visit.uid, by=care,
        )  # fmt: skip
        go(complaints.explain_complaint, uid=case.uid, words="还是没修好", by=care)
        go(complaints.respond_complaint, uid=case.uid, words="马上处理", by=care)
        go(complaints.review_complaint, uid=case.uid, cause="零件", by=care)
        go(complaints.resolve_complaint, uid=case.uid, solution="重做", by=care)
        go(complaints.close_complaint, uid=case.uid, by=actor(house.floor.hire("manager")))
        go(complaints.reopen_complaint, uid=case.uid, reason="又响了", by=care)
        first, second = (actor(house.floor.hire(post)) for post in ("manager", "gm"))
        go(archives.mark_for_destruction, uid=ArchiveRecord.objects.get(pk=archive.pk).uid, by=first)
        go(archives.sign_destruction, uid=archive.uid, reason="到期", by=first, second={"by": second})


def test_no_locking_command_is_left_out() -> None:
    derived = locking_commands()
    assert len(derived) > 100
    known = STORY.keys() | ELSEWHERE.keys()
    assert not STORY.keys() & ELSEWHERE.keys()
    assert derived - known == set(), "no story meets them"
    # The unique key of the one decides, without a lock; the steps of the other are transactions of their own.
    assert known - derived == {"delivery.send_survey", "reception.find_duplicates"}, "no longer there"


def test_cars_that_come_back() -> None:
    team = returns.crew()
    judge = returns.make_judge(team)
    lines = [returns.done_before(team) for _each in range(2)]
    first, second = lines
    visit = returns.back(first, team)
    told = {"visit_uid": visit.uid, "line_uid": first.uid, "complaint": "又漏油", "by": team.advisor}
    go(rework.withdraw_rework, uid=go(rework.open_rework, **told).uid, reason="误录", by=team.advisor)
    case = rework.open_rework(**told)
    found = {"cause": "PART", "findings": "滤芯裂纹", "by": judge}
    go(rework.judge_rework, uid=case.uid, **found)
    go(rework.send_rework_out, uid=case.uid, repairer="城东示例修理厂", by=judge)
    go(rework.pay_rework, uid=case.uid, amount=Decimal(380), paper="F-1", by=judge)
    case = returns.claim(second, returns.back(second, team), team)
    with clock.moved_to(case.evidence_due_at):
        go(rework.accept_unshown, uid=case.uid, by=machine("test", store_id=team.store.pk))
        go(rework.start_rework, uid=case.uid, by=team.advisor)
    returns.finish(case, team, 50500)
    go(rework.mend_reworks, visit_uid=case.visit.uid, by=machine("test", store_id=team.store.pk))
    clerk = kernel.make_actor("warranty", store=team.store)
    go(faults.judge_fault, line_uid=second.uid, is_quality=True, fault="漏油", by=clerk)


def test_demands_of_owners() -> None:
    team = returns.crew()
    manager = kernel.make_actor("manager", store=team.store)
    visit = returns.back(returns.done_before(team), team)
    asked = {"vehicle_uid": visit.vehicle.uid, "customer_uid": visit.customer.uid, "words": "退车", "by": team.advisor}
    refund = go(claims.open_claim, remedy="REFUND", **asked)
    go(claims.refuse_claim, uid=refund.uid, refusal="NOT_MET", answer="未达到条件", by=manager)
    repair = claims.open_claim(remedy="FREE_REPAIR", **asked)
    go(claims.grant_claim, uid=repair.uid, answer="同意", by=manager)
    go(claims.finish_claim, uid=repair.uid, result="已修好", by=manager)
    money = claims.open_claim(remedy="TRANSPORT_MONEY", **asked)
    go(claims.withdraw_claim, uid=money.uid, result="不再要求", by=team.advisor)


def test_a_recall() -> None:
    with clock_at(9):
        house = House()
        shop, clerk = house.floor.shop, actor(house.floor.hire("warranty"))
        visit = make_received_visit(shop)
        order = orders.open_repair_order(visit_uid=visit.uid, complaint="召回", with_diagnosis=False, by=shop.advisor)
        made = campaigns.open_campaign(
            number="ZH-1",
            kind="RECALL",
            title="制动软管",
            measure="更换",
            operation_uid=operation("CH-10").uid,
            by=clerk,
        )
        go(campaigns.add_vins, uid=made.uid, vins=[visit.vehicle.vin], by=clerk)
        go(campaigns.end_campaign, uid=made.uid, ends_on=DAY + timedelta(days=9), by=clerk)
        row = made.vehicles.get()
        told = {"reply": "DECLINED", "told_to": "李送修", "by": shop.advisor}
        go(campaigns.answer_campaign, uid=row.uid, visit_uid=visit.uid, **told)
        go(campaigns.put_on_order, uid=row.uid, order_uid=order.uid, by=shop.advisor)


def test_a_long_repair() -> None:
    team = make_team()
    with clock.moved_to(maker_pays.NOW):
        order = maker_pays.repaired(team, maker_pays.car(), ago=7.5, hours=None).order
        loan = {"kind": "LOAN_CAR", "starts_on": maker_pays.NOW.date(), "loan_car_uid": make_loan_car(team.store).uid}
        care = go(day_six.give_care, order_uid=order.uid, by=team.advisor, **loan)
        go(day_six.end_care, uid=care.uid, by=team.advisor)
        done = maker_pays.repaired(team, maker_pays.car(), ago=9).order
        go(day_six.hand_out_record, order_uid=done.uid, receiver="李送修", by=team.advisor)


def test_accidents() -> None:
    with clock_at(9):
        house = House()
        shop = house.floor.shop
        order = make_accident_order(shop)
        told = {"policy_number": "P-1", "report_number": "R-1", "happened_on": clock.today(), "by": shop.advisor}
        case = go(accidents.open_accident, order_uid=order.uid, **told)
        go(accidents.change_accident, uid=case.uid, assessor="乙", by=shop.advisor)
        line = order.lines.get()
        orders.add_line_photo(line_uid=line.uid, content=make_picture(), by=shop.advisor)
        ask = {"accident_uid": case.uid, "amounts": {line.uid: Decimal(99_999)}, "reason": "追加", "by": shop.advisor}
        first = go(accidents.ask_assessment, **ask)
        go(accidents.refuse_assessment, uid=first.uid, decided_by=AGREES, note="太贵", by=shop.advisor)
        again = accidents.ask_assessment(**ask)
        go(accidents.agree_assessment, uid=again.uid, decided_by=AGREES, by=shop.advisor)
        go(accidents.mark_structural, line_uid=line.uid, part="RAIL", by=shop.advisor)
        cheaper, borne = (assessed_below(shop).uid for _n in range(2))
        go(differences.price_as_assessed, line_uid=cheaper, by=shop.advisor)
        bears = {"agreed_by": "沈示例", "method": "VERBAL_PHONE", "note": "来电同意", "by": shop.advisor}
        go(differences.decline_difference, line_uid=borne, **bears)
        go(differences.bear_difference, line_uid=borne, **bears)
    team = returns.crew()
    done = structural(team)
    go(accidents.check_structure, job_uid=done.uid, result="PASSED", findings="合格", by=team.inspector)


def test_claims_to_the_maker() -> None:
    team = returns.crew()
    clerk = kernel.make_actor("warranty", store=team.store)
    lines = [make_warranty_repair(returns.make_visit(team)) for _each in range(3)]
    claim = go(warranty_claims.open_warranty_claim, order_uid=lines[0].order.uid, by=clerk)
    go(warranty_claims.ask_maker, uid=claim.uid, by=clerk)
    go(warranty_claims.start_warranty_repair, uid=claim.uid, authorised_as="A-1", by=clerk)
    type(claim).objects.filter(pk=claim.pk).update(repaired_on=None, submit_until=None)
    go(warranty_claims.date_warranty_claim, line_uid=lines[0].uid, by=clerk)
    go(warranty_claims.complete_warranty_claim, uid=claim.uid, by=clerk)
    go(warranty_claims.submit_warranty_claim, uid=claim.uid, reference="M-1", by=clerk)
    go(warranty_claims.return_warranty_claim, uid=claim.uid, reason="补照片", by=clerk)
    warranty_claims.submit_warranty_claim(uid=claim.uid, reference="M-1", by=clerk)
    go(warranty_claims.approve_warranty_claim, uid=claim.uid, amount=Decimal(340), by=clerk)
    go(warranty_claims.pay_warranty_claim, uid=claim.uid, amount=Decimal(340), reference="T-1", by=clerk)
    no = {"reason": "超期", "shop_bears": "INTERNAL", "by": clerk}
    given_up = warranty_claims.open_warranty_claim(order_uid=lines[1].order.uid, by=clerk)
    go(warranty_claims.withdraw_warranty_claim, uid=given_up.uid, **no)
    refused = warranty_claims.open_warranty_claim(order_uid=lines[2].order.uid, by=clerk)
    warranty_claims.ask_maker(uid=refused.uid, by=clerk)
    go(warranty_claims.reject_warranty_claim, uid=refused.uid, **no)


def test_old_parts() -> None:
    team = returns.crew()
    keeper, system = kernel.make_actor("parts", store=team.store), machine("test", store_id=team.store.pk)
    line = returns.make_ready(team, pay_type="WARRANTY").lines.get()
    go(old_parts.keep_old_parts, line_uid=line.uid, by=system)
    part = line.old_parts.get()
    go(old_parts.shelve_old_part, uid=part.uid, place="A-1", by=keeper)
    go(old_parts.release_old_part, uid=part.uid, reference="R-1", by=keeper)
    go(old_parts.decide_old_part, uid=part.uid, disposition="CUSTOMER", by=keeper)
    go(old_parts.give_old_part, uid=part.uid, given_to="李送修", signed_on_paper=True, by=keeper)
    for ended, how in (
        (old_parts.return_old_part, {"reference": "SF1"}),
        (old_parts.scrap_old_part, {"note": "交回收单位"}),
    ):
        line = returns.make_ready(team, pay_type="WARRANTY").lines.get()
        [part] = old_parts.keep_old_parts(line_uid=line.uid, by=system)
        old_parts.release_old_part(uid=part.uid, reference="R-2", by=keeper)
        go(ended, uid=part.uid, by=keeper, **how)


def test_declined_advice() -> None:
    with clock_at(9):
        shop = House().floor.shop
        order = orders.open_repair_order(
            visit_uid=make_received_visit(shop).uid, complaint="异响", with_diagnosis=False, by=shop.advisor
        )
        lines = [add_operation(shop, order, code) for code in ("MT-10", "AC-10")]
        orders.send_estimate(order_uid=order.uid, by=shop.advisor)
        authorizations.decide_lines(
            order_uid=order.uid, decisions={line.uid: (False, "太贵") for line in lines}, method="VERBAL_PHONE",
            authorized_by="沈示例", note="电话", by=shop.advisor,
        )  # fmt: skip
        go(advice.keep_advice, visit_uid=order.visit.uid, by=machine("test", store_id=shop.store.pk))
        once, again = Advice.objects.order_by("pk")
        go(advice.offer_advice, uid=once.uid, by=shop.advisor)
        go(advice.drop_advice, uid=once.uid, reason="自己做", by=shop.advisor)
        second = orders.open_repair_order(
            visit_uid=order.visit.uid, complaint="异味", with_diagnosis=False, by=shop.advisor
        )
        go(advice.take_up_advice, uid=again.uid, order_uid=second.uid, by=shop.advisor)


def test_what_customers_ask_for() -> None:
    with clock_at(9):
        shop = House().floor.shop
        visit = make_received_visit(shop)
        vehicles.read_odometer(vehicle=visit.vehicle, km=49_500, by=shop.advisor)
        tyres = [operation("TY-20").uid]
        go(wishes.wish_maintenance, visit_uid=visit.uid, operation_uids=tyres, by=link_visit(visit))
        order = orders.open_repair_order(visit_uid=visit.uid, complaint="异响", with_diagnosis=False, by=shop.advisor)
        first = MaintenanceWish.objects.get()
        go(wishes.take_wishes, order_uid=order.uid, wish_uids=[first.uid], by=shop.advisor)
        go(wishes.decline_wish, uid=make_wish(visit, "AC-10").uid, answer="今天来不及", by=shop.advisor)
        second = make_received_visit(shop)
        vehicles.read_odometer(vehicle=second.vehicle, km=49_500, by=shop.advisor)
        booked = make_booked(second)
        go(wishes.wish_for_booking, appointment=booked, operation_uids=tyres)


def test_check_sheets() -> None:
    with clock_at(9):
        shop = House().floor.shop
        order = orders.open_repair_order(
            visit_uid=make_received_visit(shop).uid, complaint="保养", with_diagnosis=False, by=shop.advisor
        )
        short = check_sheets.template()
        sheet = go(sheets.begin_sheet, order_uid=order.uid, template_uid=short.uid, by=shop.advisor)
        walls = {"sheet_uid": sheet.uid, "item_uid": check_sheets.item(sheet, "TYRE-WALL"), "by": shop.advisor}
        go(sheets.answer_item, verdict="RED", note="鼓包", **walls)
        go(sheets.add_check_photo, content=make_picture(), name="tyre.jpg", **walls)
        go(sheets.offer_finding, **walls)
        go(sheets.rest_is_good, uid=sheet.uid, by=shop.advisor)
        for code in ("TYRE-TREAD", "TYRE-PRESS"):
            check_sheets.answer(sheet, code, shop.advisor, verdict="NA")
        for code in ("WHEEL-BOLTS", "LAMPS-REAR"):
            check_sheets.answer(sheet, code, shop.advisor, verdict="GREEN")
        go(sheets.sign_sheet, uid=sheet.uid, by=shop.advisor)


@pytest.mark.parametrize("paper", ["order", "complaint"])
def test_no_paper_is_left_with_a_customer_who_was_merged_meanwhile(paper: str) -> None:
    with clock_at(9):
        house = House()
        visit = make_received_visit(house.floor.shop)
        kept, merged = (make_customer(name="双试保险", phone=f"1370000000{n}") for n in (1, 2))
        manager, care = (actor(house.floor.hire(post)) for post in ("manager", "care"))

        def merge_or_write(*, what: str) -> Any:
            if what == "merge":
                return merging.merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, by=manager)
            if what == "order":
                return orders.open_repair_order(
                    visit_uid=visit.uid, complaint="剐蹭", kind="INSURANCE", payer_uid=merged.uid, by=house.advisor
                )
            return complaints.open_complaint(customer_uid=merged.uid, description="没修好", source="PHONE", by=care)

        assert meet(merge_or_write, what="merge", second={"what": paper})[1] == "both"
    written = RepairOrder.objects.get().customer if paper == "order" else Complaint.objects.get().customer
    assert written == kept
