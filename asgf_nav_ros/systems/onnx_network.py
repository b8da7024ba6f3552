# SPDX-License-Identifier: Apache-2.0
"""An exported network that is one part of a navigator: arrays in, arrays out; no torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.inference.model_file import contract_of
from asgf_nav_ros.inference.model_file import PolicyModelError
from asgf_nav_ros.inference.model_file import read_model
from asgf_nav_ros.inference.onnx_policy import PolicyOutputError
from asgf_nav_ros.inference.providers import open_session


class OnnxNetwork:
    """A model file of one system, checked against its own contract.

    Raises:
        PolicyModelError: the file cannot be read, or lacks inputs or outputs of its system.
        ContractMismatch: it has no contract, or another system's.
    """

    def __init__(self, model: Path, *, system: str, inputs: tuple[str, ...],
                 outputs: tuple[str, ...], threads: int = 1) -> None:
        content, self.sha256 = read_model(model)
        try:
            self._session, _ = open_session(content, 'cpu', threads=threads)
        except Exception as error:  # the errors of onnxruntime share no other base
            raise PolicyModelError(f'model {model} is not a usable ONNX file') from error
        self.contract = contract_of(self._session)
        self.contract.require(system=system)
        self._outputs = outputs
        found = ({node.name for node in self._session.get_inputs()},
                 {node.name for node in self._session.get_outputs()})
        if found[0] != set(inputs) or not set(outputs) <= found[1]:
            raise PolicyModelError(
                f'model {model} must map {sorted(inputs)} to {sorted(outputs)}, '
                f'it maps {sorted(found[0])} to {sorted(found[1])}')

    def __call__(self, **feeds: np.ndarray) -> dict[str, np.ndarray]:
        """Run a batch.

        Raises:
            ContractMismatch: a spectrogram that does not fit the contract.
            PolicyOutputError: an output that is not finite.
        """
        shape = feeds['spectrogram'].shape[1:]
        if shape != self.contract.spectrogram_shape:
            raise ContractMismatch(
                f'spectrogram must be {self.contract.spectrogram_shape}, got {shape}')
        values = dict(zip(self._outputs, self._session.run(self._outputs, feeds)))
        for name, value in values.items():
            if not np.isfinite(value).all():
                raise PolicyOutputError(f'{name} must be finite, the model computed NaN or '
                                        'infinity')
        return values
