"""The settings of the measured server: those of production, and one address more (the empty view)."""

from dealership.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
