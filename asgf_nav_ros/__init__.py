# SPDX-License-Identifier: Apache-2.0
"""Audio-visual navigation for ROS 2: hear a sound, drive to it."""

__version__ = '0.1.0'
