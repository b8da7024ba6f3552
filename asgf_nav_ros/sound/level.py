# SPDX-License-Identifier: Apache-2.0
"""What the 16 bits of ``audio`` stand for, as long as nobody has calibrated the microphones."""

# Sounds of peak 1 at 1 m, as policies are trained with, peak at 2 to 8 near their source in a
# live room. A larger scale would drown weak interaural cues in the rounding to 16 bits.
FULL_SCALE = 4.0
