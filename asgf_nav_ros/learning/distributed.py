# SPDX-License-Identifier: Apache-2.0
"""Learning in several processes: torchrun starts them, DistributedDataParallel joins them."""

from __future__ import annotations

import atexit
import dataclasses
import datetime
import os
import sys
from typing import Any
from typing import Callable
from typing import Mapping

import torch
from torch import distributed
from torch import nn

# One process bakes while the others wait for it.
_PATIENCE = datetime.timedelta(hours=6)
_BACKENDS = {'cpu': 'gloo', 'cuda': 'cpu:gloo,cuda:nccl'}


class Scored(nn.Module):
    """An agent with a loss as its ``forward``.

    DDP watches the parameters that the result of ``forward`` depends on, so the loss, and
    nothing that does not enter it, must come out of there.
    """

    def __init__(self, agent: nn.Module, score: Callable[..., Any]) -> None:
        super().__init__()
        self.agent = agent
        self._score = score

    def forward(self, *arguments: Any) -> Any:
        """Return what ``score`` makes of ``arguments``."""
        return self._score(*arguments)


@dataclasses.dataclass(frozen=True)
class Processes:
    """The processes that learn one agent together: process ``rank`` of ``size``.

    ``local_rank`` counts within one machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @classmethod
    def join(cls, device: str) -> Processes:
        """Meet the processes that torchrun started, or be alone where it started none."""
        size = int(os.environ.get('WORLD_SIZE', '1'))
        if size == 1:
            return cls()
        if not distributed.is_initialized():
            distributed.init_process_group(_BACKENDS[torch.device(device).type],
                                           timeout=_PATIENCE)
        return cls(distributed.get_rank(), size, int(os.environ.get('LOCAL_RANK', '0')))

    def leave(self) -> None:
        """End the meeting as the last thing that a process does; who fails just dies.

        All wait for all, for a process that tears its connections down can break another that
        still talks over them. The interpreter is then left without being taken apart: threads of
        gloo that outlive it abort the process now and then, after all work is done.
        """
        if self.size > 1:
            distributed.barrier()
            distributed.destroy_process_group()
            atexit.register(_exit_at_once)

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks for all."""
        return self.rank == 0

    def device(self, device: str) -> str:
        """Return this process's own of several GPUs where plain 'cuda' is asked for."""
        return f'cuda:{self.local_rank}' if self.size > 1 and device == 'cuda' else device

    def scored(self, agent: nn.Module, score: Callable[..., Any]) -> nn.Module:
        """Return a module that scores; its backward averages gradients over the processes.

        The weights of process 0 become those of all.
        """
        module = Scored(agent, score)
        if self.size == 1:
            return module
        return nn.parallel.DistributedDataParallel(
            module, broadcast_buffers=False, find_unused_parameters=True)

    def mean(self, tensor: torch.Tensor) -> torch.Tensor:
        """Average a tensor over the processes."""
        if self.size == 1:
            return tensor
        total = tensor.detach().clone()
        distributed.all_reduce(total)
        return total / self.size

    def mean_figures(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Average named figures over the processes, which must all have the same names."""
        values = self.mean(torch.tensor(list(figures.values()), dtype=torch.float64))
        return dict(zip(figures, values.tolist()))

    def gather(self, state: Any) -> list[Any]:
        """Collect one object a process at process 0, in order of rank; others get nothing."""
        if self.size == 1:
            return [state]
        gathered = [None] * self.size if self.leads else None
        distributed.gather_object(state, gathered)
        return gathered or []

    def share(self, state: Any) -> Any:
        """Hand process 0's object to all."""
        if self.size == 1:
            return state
        shared = [state]
        distributed.broadcast_object_list(shared, src=0)
        return shared[0]

    def agree(self, decision: bool) -> bool:
        """Return what process 0 decided."""
        if self.size == 1:
            return decision
        shared = torch.tensor([int(decision)])
        distributed.broadcast(shared, src=0)
        return bool(shared.item())

    def one_after_the_other(self, work: Callable[[], Any]) -> Any:
        """Do ``work`` first in one process of each machine, then in the others; return its result.

        What the first leaves on disk, the others find.
        """
        result = work() if self.local_rank == 0 else None
        self.agree(True)
        return result if self.local_rank == 0 else work()


def _exit_at_once() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
