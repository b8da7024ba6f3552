# SPDX-License-Identifier: Apache-2.0
"""The contract of a model file, for nodes that do not run the model."""

from __future__ import annotations

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.model_file import contract_of
from asgf_nav_ros.inference.model_file import PolicyModelError
from asgf_nav_ros.inference.model_file import read_model
from asgf_nav_ros.inference.providers import open_session


def read_contract(model_path: str) -> PolicyContract:
    """Read what the policy at ``model_path`` wants.

    Raises:
        ValueError: no path was set, no model is there, or it has no valid contract.
    """
    if not model_path:
        raise ValueError('model_path must name an ONNX policy, got none')
    content, _ = read_model(model_path)
    try:
        session, _ = open_session(content, 'cpu')
    except Exception as error:  # the errors of onnxruntime share no other base
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise PolicyModelError(f'{model_path} is not an ONNX model: {first_line}') from error
    return contract_of(session)
