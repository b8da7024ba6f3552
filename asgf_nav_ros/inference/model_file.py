# SPDX-License-Identifier: Apache-2.0
"""An exported policy on disk: read within bounds, checked against its own contract."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import onnxruntime

from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import MOTION_FEATURES
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import PROVENANCE_KEY
from asgf_nav_ros.inference.model_metadata import contract_of_metadata

MAX_BYTES = 200 * 10**6
_LABELS = ('system', 'trained_on')  # say what a policy is, not what it sees or does


class PolicyModelError(ValueError):
    """A file that is not a policy, or not the one that was asked for."""


def read_model(path: str | os.PathLike[str], expected_sha256: str | None = None
               ) -> tuple[bytes, str]:
    """Content of a model file, and its SHA-256 in hex.

    Raises:
        PolicyModelError: it cannot be read, is empty or over ``MAX_BYTES``, or has another
            hash than ``expected_sha256``.
    """
    path = Path(path)
    try:
        with path.open('rb') as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PolicyModelError(f'model {path} cannot be read: {error.strerror}') from error
    if not 0 < len(content) <= MAX_BYTES:
        size = 'is empty' if not content else f'has over {MAX_BYTES // 10**6} MB'
        raise PolicyModelError(f'model {path} {size}')
    found = hashlib.sha256(content).hexdigest()
    if expected_sha256 is not None and found != expected_sha256.strip().lower():
        raise PolicyModelError(f'model {path} must have SHA-256 {expected_sha256}, got {found}')
    return content, found


def contract_of(session: onnxruntime.InferenceSession) -> PolicyContract:
    """The contract in the metadata of a model.

    Raises:
        ContractMismatch: there is none, or it is not a contract.
    """
    return contract_of_metadata(session.get_modelmeta().custom_metadata_map)


def provenance_of(session: onnxruntime.InferenceSession) -> dict[str, Any]:
    """Where the weights come from, as far as the file says.

    Raises:
        PolicyModelError: the provenance is not a JSON object.
    """
    text = session.get_modelmeta().custom_metadata_map.get(PROVENANCE_KEY, '{}')
    try:
        provenance = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PolicyModelError(f'{PROVENANCE_KEY} must be JSON, got {text!r:.80}') from error
    if not isinstance(provenance, dict):
        raise PolicyModelError(f'{PROVENANCE_KEY} must be a JSON object, got {text!r:.80}')
    return provenance


def require_same_contract(found: PolicyContract, wanted: PolicyContract) -> None:
    """Refuse a model that sees or does something else; ``system`` and ``trained_on`` may differ.

    Raises:
        ContractMismatch: names every field that differs with both values.
    """
    fields = [name for name in PolicyContract.__dataclass_fields__ if name not in _LABELS]
    different = [f'{name}={getattr(wanted, name)} is wanted, the model has {getattr(found, name)}'
                 for name in fields if getattr(wanted, name) != getattr(found, name)]
    if different:
        raise ContractMismatch('the model has another contract: ' + '; '.join(different))


def input_shapes(contract: PolicyContract) -> dict[str, tuple[str, tuple[int, ...]]]:
    """ONNX type and shape of every input of a policy, the batch left out."""
    image = (contract.image_height, contract.image_width)
    shapes = {
        'rgb': ('tensor(uint8)', (*image, 3)),
        'depth': ('tensor(float)', image),
        'spectrogram': ('tensor(float)', contract.spectrogram_shape),
        'hidden': ('tensor(float)', (contract.hidden_size,)),
    }
    if contract.odometry:
        shapes['motion'] = ('tensor(float)', (MOTION_FEATURES,))
    return shapes


def output_shapes(contract: PolicyContract) -> dict[str, tuple[str, tuple[int | None, ...]]]:
    """ONNX type and shape of every output, the batch left out; None where any size will do."""
    return {
        'action_probabilities': ('tensor(float)', (len(contract.actions),)),
        'value': ('tensor(float)', ()),
        'hidden_out': ('tensor(float)', (contract.hidden_size,)),
        'gate': ('tensor(float)', (1,)),
        'attention': ('tensor(float)', (2,)),
        'frame_weights': ('tensor(float)', (None,)),
        'sound_direction': ('tensor(float)', (3,)),
    }


def require_signature(
        session: onnxruntime.InferenceSession, contract: PolicyContract) -> None:
    """Refuse a graph whose inputs or outputs are not those of its contract.

    Raises:
        ContractMismatch: names the first one that is missing, unknown or has another type,
            shape or a fixed batch.
    """
    _require_tensors('input', session.get_inputs(), input_shapes(contract), complete=True)
    _require_tensors('output', session.get_outputs(), output_shapes(contract), complete=False)


def _require_tensors(kind: str, nodes: list[onnxruntime.NodeArg],
                     wanted: dict[str, tuple[str, tuple[int | None, ...]]], *,
                     complete: bool) -> None:
    found = {node.name: node for node in nodes}
    missing = sorted(set(wanted) - set(found))
    unknown = sorted(set(found) - set(wanted)) if complete else []
    if missing or unknown:
        raise ContractMismatch(f'the model must have the {kind}s {", ".join(wanted)}; '
                               f'it lacks {missing} and has unknown {unknown}')
    for name, (kind_of_tensor, shape) in wanted.items():
        node = found[name]
        if node.type != kind_of_tensor or not _fits(node.shape, shape):
            raise ContractMismatch(
                f'{kind} {name} must be {kind_of_tensor} [batch, {_text(shape)}], '
                f'the model has {node.type} {node.shape}')


def _fits(found: list[int | str | None], wanted: tuple[int | None, ...]) -> bool:
    """Sizes that the exporter left open are checked when the model has run."""
    if len(found) != len(wanted) + 1 or isinstance(found[0], int):
        return False
    return all(not isinstance(size, int) or want in (None, size)
               for size, want in zip(found[1:], wanted, strict=True))


def _text(shape: tuple[int | None, ...]) -> str:
    return ', '.join('any' if size is None else str(size) for size in shape)
