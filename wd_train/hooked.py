"""How does a watch look at the steps that somebody else's loop takes?"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from data_checks.errors import TrainingError
from wd_train.attaching import Attached
from wd_train.diagnostics import Decaying, Reading, Watch
from wd_train.idle_rows import tables
from wd_train.own_decay import decayed_by, known_share, rates_of


class HookedWatch:
    """A watch that an optimizer's own hooks ask, before and after the steps that are due.

    Hooks act in this order at a step: the watch notes the tensors; an attached decay acts; the watch sees
    what that took; the optimizer steps; the watch notes the norms; an attached decay acts again; the watch
    reads. Of a decay that is the optimizer's own, the share is told (`known_share`).

    Args:
        model: whose decayed tensors are watched.
        optimizer: that steps them, with a decay of its own or an `Attached` one.
        steps: gives the number of steps of the whole training; asked before the first one.
        on_reading: told of every reading.

    Attributes:
        looking: whether it looks at steps; those that it does not look at are counted.
        decay: the attached decay; None where there is none.
        step: how many steps the optimizer has taken.
        readings: all of them, in order.

    Raises:
        TrainingError: at the first step, where a decay was attached after the watch.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        steps: Callable[[], int],
        on_reading: Callable[[Reading], None],
    ) -> None:
        self._model, self._optimizer, self._steps, self._on_reading = model, optimizer, steps, on_reading
        self.looking, self.step, self.readings = True, 0, list[Reading]()
        self._watch: Watch | None = None
        self._rates: dict[str, float] = {}
        self._measured: Decaying | None = None
        self._due = False
        first = optimizer.register_step_pre_hook(self._before_all)
        then = optimizer.register_step_post_hook(self._after_optimizer)
        for hook in (first, then):
            _prepend(hook)
        self._hooks = [
            first,
            then,
            optimizer.register_step_pre_hook(self._after_decay),
            optimizer.register_step_post_hook(self._after_all),
        ]
        self.decay = self._attached()
        self._parameters = self._decayed()

    def remove(self) -> None:
        """Look at no step from now on."""
        for hook in self._hooks:
            hook.remove()

    def state_dict(self) -> dict[str, Any]:
        """What has been seen so far."""
        watch = None if self._watch is None else self._watch.state_dict()
        return {"step": self.step, "readings": list(self.readings), "watch": watch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what had been seen."""
        self.step = state["step"]
        if state["watch"] is not None:
            self._watch = self._made()
            self._watch.load_state_dict(state["watch"])
        self.readings = list(state["readings"])

    def tell_again(self) -> None:
        """Tell the readings of before once more."""
        for reading in self.readings:
            self._on_reading(reading)

    def _attached(self) -> Attached | None:
        hooks = self._hooks[0].hooks_dict_ref() or {}
        owners = (getattr(hook, "__self__", None) for hook in hooks.values())
        return next((owner for owner in owners if isinstance(owner, Attached)), None)

    def _decayed(self) -> dict[str, nn.Parameter]:
        if self.decay is None:
            return decayed_by(self._optimizer, self._model)
        names = {tensor.name for tensor in self.decay.tensors if tensor.decayed}
        return {name: p for name, p in self._model.named_parameters() if name in names}

    def _made(self) -> Watch:
        return Watch(
            self._parameters,
            steps=self._steps() if self._parameters else 1,  # without a decay nothing is ever due
            scale_free=not isinstance(self._optimizer, torch.optim.SGD),
            tables=tables(self._model),
            on_reading=self._tell,
        )

    def _before_all(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> Any:
        if self._watch is None:
            self._watch = self._made()
        if self.step == 0 and self._attached() is not self.decay:
            raise TrainingError("the decay was attached to the optimizer after watch(...): attach it before")
        self._due = self.looking and self._watch.due(self.step + 1)
        if not self._due:
            return None
        closure = kwargs.get("closure") or next(iter(args[1:]), None)
        if closure is None:
            self._note()
            return None
        # Lightning's loop, for one, hands the optimizer a function that computes the gradients.
        return args[:1], {**kwargs, "closure": self._noting(closure)}

    def _noting(self, closure: Callable[[], Any]) -> Callable[[], Any]:
        """The closure, after whose first call the tensors are noted: the gradients are there by then."""
        noted = False

        def compute() -> Any:
            nonlocal noted
            loss = closure()
            if not noted:
                self._note()
            noted = True
            return loss

        return compute

    def _note(self) -> None:
        assert self._watch is not None  # noqa: S101 - it was made before the first step
        self._watch.before_step()
        self._rates = rates_of(self._optimizer, self._parameters)
        self._measured = None if self.decay is None else self._watch.measured(_Elsewhere())

    def _after_decay(self, *_: Any) -> None:
        if self._due and self._measured is not None:
            self._measured.before_step(0.0)

    def _after_optimizer(self, *_: Any) -> None:
        if self._due and self._measured is not None:
            self._measured.after_step(0.0)

    def _after_all(self, *_: Any) -> None:
        self.step += 1
        if not self._due or self._watch is None:
            return
        if self._measured is not None:
            # Once more: what was lost since the optimizer's step is what the decay took after it.
            self._measured.before_step(0.0)
        share = known_share(self._optimizer) if self.decay is None else None
        self._watch.after_step(self.step, max(self._rates.values()), share)

    def _tell(self, reading: Reading) -> None:
        """Tell a reading, in which every tensor is measured at the rate of its own group."""
        top = max(self._rates.values(), default=0.0)
        tensors = tuple(
            replace(each, effective_learning_rate=each.effective_learning_rate * self._rates[each.name] / top)
            if self._rates[each.name] != top
            else each
            for each in reading.tensors
        )
        self.readings.append(replace(reading, tensors=tensors))
        self._on_reading(self.readings[-1])


def _prepend(hook: RemovableHandle) -> None:
    """Let it act before the others, as `prepend=True` does of modules' hooks, which optimizers don't have."""
    hooks = hook.hooks_dict_ref()
    assert isinstance(hooks, OrderedDict)  # noqa: S101 - of hooks of a living optimizer
    hooks.move_to_end(hook.id, last=False)


class _Elsewhere:
    """A decay whose hooks the optimizer calls itself."""

    def before_step(self, rate: float) -> None:
        pass

    def after_step(self, rate: float) -> None:
        pass
