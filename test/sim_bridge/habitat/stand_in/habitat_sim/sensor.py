# SPDX-License-Identifier: Apache-2.0
"""Names of habitat_sim.sensor."""


class RLRAudioPropagationChannelLayoutType:
    Mono, Binaural, Ambisonics = 'mono', 'binaural', 'ambisonics'
