# SPDX-License-Identifier: Apache-2.0
"""RGB and depth images of a house."""

from sim_bridge.rendering.renderer import Renderer

__all__ = ['Renderer']
