"""Addresses of chapter 2."""

from django.urls import path

from .views import appointments, booking, customers, keys, links, search, today, vehicles, visits, walkarounds

urlpatterns = [
    # --- search, customers, vehicles ---
    path("search/", search.SearchPage.as_view(), name="search"),
    path("customers/", customers.CustomerListPage.as_view(), name="customers"),
    path("customers/new/", customers.NewCustomerPage.as_view(), name="customer-new"),
    path("customers/duplicates/", customers.DuplicatesPage.as_view(), name="customer-duplicates"),
    path("customers/duplicates/<uuid:uid>/", customers.MergePage.as_view(), name="customer-merge"),
    path("customers/duplicates/<uuid:uid>/apart/", customers.KeepApartView.as_view(), name="customer-apart"),
    path("customers/merges/<uuid:uid>/undo/", customers.UndoMergeView.as_view(), name="customer-merge-undo"),
    path("customers/<uuid:uid>/", customers.CustomerPage.as_view(), name="customer-detail"),
    path("customers/<uuid:uid>/edit/", customers.EditCustomerPage.as_view(), name="customer-edit"),
    path("customers/<uuid:uid>/number/", customers.UnmaskCustomerView.as_view(), name="customer-unmask"),
    path("customers/<uuid:uid>/contact/", customers.ContactView.as_view(), name="customer-contact"),
    path("customers/<uuid:uid>/consents/", customers.ConsentView.as_view(), name="customer-consent"),
    path("vehicles/new/", vehicles.NewVehiclePage.as_view(), name="vehicle-new"),
    path("vehicles/<uuid:uid>/", vehicles.VehiclePage.as_view(), name="vehicle-detail"),
    path("vehicles/<uuid:uid>/edit/", vehicles.EditVehiclePage.as_view(), name="vehicle-edit"),
    path("vehicles/<uuid:uid>/owner/", vehicles.OwnerPage.as_view(), name="vehicle-owner"),
    path("vehicles/<uuid:uid>/mileage/", vehicles.OdometerPage.as_view(), name="vehicle-odometer"),
    # --- visits ---
    path("visits/new/", visits.NewVisitPage.as_view(), name="visit-new"),
    path("visits/new/known-car/", visits.KnownCarView.as_view(), name="visit-known-car"),
    path("visits/<uuid:uid>/", visits.VisitPage.as_view(), name="visit-detail"),
    path("visits/<uuid:uid>/greet/", visits.GreetView.as_view(), name="visit-greet"),
    path("visits/<uuid:uid>/assign/", visits.AssignPage.as_view(), name="visit-assign"),
    path("visits/<uuid:uid>/left/", visits.UnservedPage.as_view(), name="visit-left"),
    path("visits/<uuid:uid>/consulted/", visits.ConsultationPage.as_view(), name="visit-consulted"),
    path("visits/<uuid:uid>/area/", visits.AreaPage.as_view(), name="visit-area"),
    path("visits/<uuid:uid>/key/", visits.KeyPage.as_view(), name="visit-key"),
    path("visits/<uuid:uid>/promise/", visits.PromisePage.as_view(), name="visit-promise"),
    path("visits/<uuid:uid>/link/", visits.LinkPage.as_view(), name="visit-link-share"),
    path("visits/<uuid:uid>/link/qr.svg", visits.LinkQrView.as_view(), name="visit-link-qr"),
    path("visits/<uuid:uid>/link/send/", visits.SendLinkView.as_view(), name="visit-link-send"),
    path("visits/<uuid:uid>/signature/", visits.SignatureView.as_view(), name="visit-signature"),
    path("visits/photos/<uuid:uid>/", visits.PhotoView.as_view(), name="visit-photo"),
    # --- walk-around ---
    path("visits/<uuid:uid>/walkaround/", walkarounds.WalkAroundPage.as_view(), name="visit-walkaround"),
    path("visits/<uuid:uid>/walkaround/marks/", walkarounds.MarkPage.as_view(), name="walkaround-mark"),
    path(
        "visits/<uuid:uid>/walkaround/marks/<uuid:mark_uid>/remove/",
        walkarounds.MarkRemoveView.as_view(),
        name="walkaround-mark-remove",
    ),
    path("visits/<uuid:uid>/photos/", walkarounds.PhotosPage.as_view(), name="visit-photos"),
    # --- today, keys, evening ---
    path("today/", today.TodayPage.as_view(), name="today"),
    path("keys/", keys.KeysPage.as_view(), name="keys"),
    path("evening-count/", keys.EveningPage.as_view(), name="evening-count"),
    # --- the customer's link ---
    path("v/<str:token>/", links.CustomerPage.as_view(), name="visit-link"),
    path("v/<str:token>/rate/", links.RateView.as_view(), name="visit-link-rate"),
    path("v/<str:token>/photos/<uuid:uid>/", links.CustomerPhotoView.as_view(), name="visit-link-photo"),
    # --- appointments (2.4) ---
    path("appointments/", appointments.AppointmentListPage.as_view(), name="appointments"),
    path("appointments/new/", appointments.NewAppointmentPage.as_view(), name="appointment-new"),
    path("appointments/preparation/", appointments.PreparationPage.as_view(), name="appointment-preparation"),
    path("appointments/<uuid:uid>/", appointments.AppointmentPage.as_view(), name="appointment-detail"),
    path("appointments/<uuid:uid>/move/", appointments.MovePage.as_view(), name="appointment-move"),
    path("appointments/<uuid:uid>/cancel/", appointments.CancelPage.as_view(), name="appointment-cancel"),
    path("appointments/<uuid:uid>/confirm/", appointments.ConfirmView.as_view(), name="appointment-confirm"),
    path("appointments/<uuid:uid>/parts/", appointments.PartsView.as_view(), name="appointment-parts"),
    path("appointments/<uuid:uid>/workshop/", appointments.WorkshopView.as_view(), name="appointment-workshop"),
    path("appointments/<uuid:uid>/no-show/", appointments.NoShowView.as_view(), name="appointment-no-show"),
    path("book/<str:code>/", booking.OnlineBookingPage.as_view(), name="online-booking"),
    path("book/<str:code>/<str:token>/", booking.OnlineBookedPage.as_view(), name="online-booked"),
]
