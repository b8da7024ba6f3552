# SPDX-License-Identifier: Apache-2.0
"""The commands that measure what a table shows, told from its result files."""

from __future__ import annotations

from pathlib import PurePath
from typing import Sequence

from asgf_nav_ros.benchmark.comparison import Entry
from asgf_nav_ros.benchmark.result_files import CLEAN
from asgf_nav_ros.benchmark.result_files import Evaluation
from asgf_nav_ros.benchmark.result_files import ONE_SOUND
from asgf_nav_ros.benchmark.system_names import order_of
from asgf_nav_ros.inference.choice import DEPLOYED_TEMPERATURE
from sim_bridge.episodes import SIZES


def evaluate_commands(entries: Sequence[Entry]) -> list[str]:
    """One line for all systems that were measured alike, in a shell loop."""
    systems: dict[tuple[str, str], set[str]] = {}
    for entry in entries:
        for evaluation in entry.evaluations:
            key = (_options(evaluation), _file(evaluation))
            systems.setdefault(key, set()).add(entry.system)
    return [_loop(sorted(found, key=order_of), *key) for key, found in systems.items()]


def _loop(systems: Sequence[str], options: str, file: str) -> str:
    command = f'asgf-nav evaluate --system $s {options} --json results/{file}'
    if len(systems) == 1:
        return command.replace('${s}', systems[0]).replace('$s', systems[0])
    return f'for s in {" ".join(systems)}; do {command}; done'


def _options(evaluation: Evaluation) -> str:
    document = evaluation.document
    words = [*_model(evaluation), *_where(evaluation)]
    temperature = document.get('temperature', DEPLOYED_TEMPERATURE)
    words += [] if temperature == DEPLOYED_TEMPERATURE else [f'--temperature {temperature:g}']
    return ' '.join([*words, f'--episodes {len(evaluation.episodes)}',
                     f'--seed {document["seed"]}'])


def _where(evaluation: Evaluation) -> list[str]:
    """Houses, sounds and conditions, or a split of a dataset."""
    setting, document = evaluation.setting, evaluation.document
    if setting.size not in SIZES:
        return ['--dataset soundspaces --root data', f'--dataset-name {setting.size}',
                f'--split {document["split"]}']
    words = [f'--size {setting.size}', f'--split {setting.split}',
             f'--sounds {"heard" if setting.protocol == "heard" else "unheard"}']
    if setting.protocol == ONE_SOUND:
        words.append(f'--protocol {ONE_SOUND}')
    if setting.condition != CLEAN:
        words.append(f'--condition {setting.condition}')
        words += [] if setting.severity is None else [f'--severity {setting.severity:g}']
    words += ['--through-ros'] if setting.through_ros else []
    words += [] if document.get('pinned') else [f'--houses {document["houses"]}']
    return words + ([f'--bake-seed {document["bake_seed"]}'] if document.get('bake_seed') else [])


def _model(evaluation: Evaluation) -> list[str]:
    """A model that is not shipped; where it lay on somebody's disk is nobody's business."""
    model = evaluation.document.get('model')
    if not model:
        return []
    path = PurePath(model)
    return [f'--model {path.name if path.is_absolute() else path.as_posix()}']


def _file(evaluation: Evaluation) -> str:
    setting = evaluation.setting
    parts = [setting.size, setting.protocol]
    parts += [] if setting.condition == CLEAN else [setting.condition]
    parts += [] if setting.severity is None else [f'{setting.severity:g}']
    parts += ['ros'] if setting.through_ros else []
    parts += [PurePath(evaluation.document['model']).stem] if _model(evaluation) else []
    folder = f'{evaluation.group}/' if evaluation.group else ''
    return f'{folder}${{s}}_{"_".join(parts)}.json'
