# SPDX-License-Identifier: Apache-2.0
"""The contract of a model file, for nodes that do not run the model."""

from __future__ import annotations

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.model_metadata import read_contract_of_file


def read_contract(model_path: str) -> PolicyContract:
    """Read what the policy at ``model_path`` wants.

    Raises:
        ValueError: no path was set, no model is there, or it has no valid contract.
    """
    if not model_path:
        raise ValueError('model_path must name an ONNX policy, got none')
    return read_contract_of_file(model_path)
