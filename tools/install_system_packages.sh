#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what pip cannot bring. Says first what is missing; installs nothing that is present.
# --test adds what only the tests need.
set -euo pipefail

packages=(
  libegl1 libgl1-mesa-dri libgles2  # OpenGL without a screen: the simulated camera
  libmysofa1                        # MIT KEMAR head-related transfer functions: the ears
  sweethome3d-furniture             # 3-D furniture of the simulated houses
  fluid-soundfont-gm                # sounds to navigate to, from here on: General MIDI instruments,
  openttd-opensfx                   #   vehicles and machines,
  sonic-pi-samples                  #   telephones, percussion, ambience,
  lomiri-sounds                     #   ring tones and notifications,
  oxygen-sounds                     #   desktop sounds
  libportaudio2                     # microphones
)
if [[ "${1:-}" == --test ]]; then
  packages+=(pulseaudio pulseaudio-utils libasound2-plugins)  # a sound card of software
fi
python="${PYTHON:-python3}"
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  packages+=(python3-venv)
fi

missing=()
for package in "${packages[@]}"; do
  status="$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)"
  [[ "$status" == installed ]] || missing+=("$package")
done
if (( ${#missing[@]} == 0 )); then
  echo 'System packages: all present.'
  exit 0
fi

echo 'System packages that will be installed with apt-get:'
printf '  %s\n' "${missing[@]}"
install=(apt-get install --yes --no-install-recommends "${missing[@]}")
if ! command -v apt-get > /dev/null; then
  echo "error: apt-get not found; install these packages' contents by other means" >&2
  exit 1
elif (( EUID == 0 )); then
  as_root=(env DEBIAN_FRONTEND=noninteractive)
elif command -v sudo > /dev/null && { [[ -t 0 ]] || sudo -n true 2> /dev/null; }; then
  as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
else
  echo 'error: neither root nor sudo is at hand; as root, run:' >&2
  echo "  apt-get update && ${install[*]}" >&2
  exit 1
fi
"${as_root[@]}" apt-get update
"${as_root[@]}" "${install[@]}"
