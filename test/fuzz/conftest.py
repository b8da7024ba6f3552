# SPDX-License-Identifier: Apache-2.0
"""Seconds by default; ``--hypothesis-profile=long`` tries ten thousand times as much."""

from hypothesis import HealthCheck
from hypothesis import settings

SLOW = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
settings.register_profile('long', deadline=None, max_examples=100_000, suppress_health_check=SLOW)
settings.register_profile('short', deadline=None, max_examples=100, suppress_health_check=SLOW)
settings.load_profile('short')
