# SPDX-License-Identifier: Apache-2.0
"""Sessions of ONNX Runtime that really run where they were asked to."""

from __future__ import annotations

import dataclasses

import onnxruntime

_NAMES = {
    'cpu': 'CPUExecutionProvider',
    'cuda': 'CUDAExecutionProvider',
    'tensorrt': 'TensorrtExecutionProvider',
}
PROVIDERS = (*_NAMES, 'auto')
_BEST_FIRST = ('tensorrt', 'cuda', 'cpu')
_ERRORS_ONLY = 3


class ProviderUnavailable(RuntimeError):
    """The provider that was asked for does not run here."""


@dataclasses.dataclass(frozen=True)
class ProviderChoice:
    """Where a session runs: ``cpu``, ``cuda`` or ``tensorrt``, and why not on something better."""

    name: str
    reason: str = ''


def open_session(model: bytes, provider: str = 'auto', *, threads: int = 1
                 ) -> tuple[onnxruntime.InferenceSession, ProviderChoice]:
    """Open a session and verify which provider it uses; ONNX Runtime falls back silently.

    Args:
        model: content of an ONNX file.
        provider: one of ``PROVIDERS``. ``auto`` takes the best that works and names the others.
        threads: of the CPU part.

    Raises:
        ValueError: unknown provider or thread count.
        ProviderUnavailable: the provider was asked for by name and the session does not use it.
        Exception: whatever ONNX Runtime raises for a model that it cannot read.
    """
    if provider not in PROVIDERS:
        raise ValueError(f'provider must be one of {", ".join(PROVIDERS)}, got {provider!r}')
    options = session_options(threads=threads)
    if provider != 'auto':
        return _open(model, provider, options), ProviderChoice(provider)
    reasons = []
    for name in _BEST_FIRST[:-1]:
        try:
            return _open(model, name, options), ProviderChoice(name, '; '.join(reasons))
        except ProviderUnavailable as error:
            reasons.append(str(error))
    return _open(model, 'cpu', options), ProviderChoice('cpu', '; '.join(reasons))


def session_options(*, threads: int = 1) -> onnxruntime.SessionOptions:
    """Options for a process that has neighbours: few threads, and none that spins while idle.

    Raises:
        ValueError: threads is not positive.
    """
    if threads < 1:
        raise ValueError(f'threads must be positive, got {threads}')
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    options.add_session_config_entry('session.inter_op.allow_spinning', '0')
    options.log_severity_level = _ERRORS_ONLY
    return options


def _open(model: bytes, provider: str, options: onnxruntime.SessionOptions
          ) -> onnxruntime.InferenceSession:
    wanted = _NAMES[provider]
    available = onnxruntime.get_available_providers()
    if wanted not in available:
        raise ProviderUnavailable(
            f'{provider}: this onnxruntime has only {", ".join(available)}')
    try:
        session = onnxruntime.InferenceSession(
            model, options, providers=list(dict.fromkeys([wanted, _NAMES['cpu']])))
    except Exception as error:  # the errors of onnxruntime share no other base
        if provider == 'cpu':
            raise
        _open(model, 'cpu', options)  # raises where the model is at fault
        raise ProviderUnavailable(f'{provider}: {str(error).splitlines()[0]}') from error
    session.disable_fallback()
    used = session.get_providers()
    if used[0] != wanted:
        raise ProviderUnavailable(
            f'{provider}: onnxruntime knows it but runs on {used[0]}, are its libraries there?')
    return session
