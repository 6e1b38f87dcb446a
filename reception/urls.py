"""Addresses of chapter 2."""

from django.urls import path

from .views import customers, search, vehicles, visits

urlpatterns = [
    # --- search, customers, vehicles ---
    path("search/", search.SearchPage.as_view(), name="search"),
    path("customers/", customers.CustomerListPage.as_view(), name="customers"),
    path("customers/new/", customers.NewCustomerPage.as_view(), name="customer-new"),
    path("customers/<uuid:uid>/", customers.CustomerPage.as_view(), name="customer-detail"),
    path("customers/<uuid:uid>/edit/", customers.EditCustomerPage.as_view(), name="customer-edit"),
    path("customers/<uuid:uid>/number/", customers.UnmaskCustomerView.as_view(), name="customer-unmask"),
    path("customers/<uuid:uid>/consents/", customers.ConsentView.as_view(), name="customer-consent"),
    path("vehicles/new/", vehicles.NewVehiclePage.as_view(), name="vehicle-new"),
    path("vehicles/<uuid:uid>/", vehicles.VehiclePage.as_view(), name="vehicle-detail"),
    path("vehicles/<uuid:uid>/edit/", vehicles.EditVehiclePage.as_view(), name="vehicle-edit"),
    path("vehicles/<uuid:uid>/owner/", vehicles.OwnerPage.as_view(), name="vehicle-owner"),
    path("vehicles/<uuid:uid>/mileage/", vehicles.OdometerPage.as_view(), name="vehicle-odometer"),
    # --- visits ---
    path("visits/new/", visits.NewVisitPage.as_view(), name="visit-new"),
    path("visits/new/known-car/", visits.KnownCarView.as_view(), name="visit-known-car"),
]
