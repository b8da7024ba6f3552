# SPDX-License-Identifier: Apache-2.0
"""Makes the builder of small policies importable, however pytest imports the tests."""

from __future__ import annotations

from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).parent))
