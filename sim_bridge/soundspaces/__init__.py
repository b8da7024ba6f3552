# SPDX-License-Identifier: Apache-2.0
"""Datasets of SoundSpaces 1.0: read as SoundSpaces reads them, and written."""
