"""How does a loop of somebody else's go on where it was stopped, epoch by epoch and batch by batch?"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from data_checks.errors import TrainingError
from wd_train.accumulated import gradients_of, set_gradients
from wd_train.checkpoints import Checkpoints, Tell
from wd_train.diagnostics import Diagnosis, Reading
from wd_train.generators import Generator, generators_of, own_states, set_own_states, set_states, states_of
from wd_train.hooked import HookedWatch
from wd_train.keepable import apart, check_parts, plain
from wd_train.loop import Stateful, on
from wd_train.recognizing import other_than, shapes_of
from wd_train.stopping import asked, stop, stoppable

Batch = TypeVar("Batch")


class Watched:
    """A loop that is watched; `wd_train.watch` makes it.

    Args:
        model: that is trained.
        optimizer: that steps it.
        steps: of the whole training; None counts them from `epochs` and `batches`, one step a batch.
        parts: whatever else changes while it trains, by name.
        on_reading: told of every reading; of those from before a stop once more.
        checkpoints: where it goes on from, and what it leaves for that; None leaves nothing.
        tell: told, in a sentence, why it begins anew where it does.

    Attributes:
        kept: numbers, text and tensors of the loop's own that go on with it, such as the best loss so far.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        steps: int | None,
        parts: Mapping[str, Stateful | Generator],
        on_reading: Callable[[Reading], None],
        checkpoints: Checkpoints | None,
        tell: Tell,
    ) -> None:
        self._model, self._steps, self._checkpoints, self._tell = model, steps, checkpoints, tell
        self._generators, stateful = apart(parts)
        self._watch = HookedWatch(model, optimizer, self._all_steps, on_reading)
        decay = {} if self._watch.decay is None else {"decay": self._watch.decay}
        self._parts: dict[str, Stateful] = {**decay, "optimizer": optimizer, **stateful, "model": model}
        self.kept: dict[str, Any] = {}
        self._epochs: int | None = None
        self._batches: int | None = None  # of an epoch
        self._epoch, self._taken = 0, 0
        self._untouched = False  # whether this epoch's batches were not asked for yet
        self._began: dict[str, Any] | None = None  # the generators, as the epoch began
        self._loader: dict[str, Generator] = {}
        self._loader_began: dict[str, Any] = {}  # the loader's, as its batches began
        self._loader_begins: dict[str, Any] = {}  # from where it draws after a stop
        self._stopped: dict[str, Any] = {}  # what holds once the batches that were taken are skipped
        if checkpoints is not None:
            check_parts(stateful)
            self._resume(checkpoints)

    @property
    def readings(self) -> list[Reading]:
        """What the decayed tensors did at the first step, the last and few between."""
        return self._watch.readings

    @property
    def diagnoses(self) -> list[Diagnosis]:
        """What a person should know of the decay, in the order in which it was found."""
        return [diagnosis for reading in self.readings for diagnosis in reading.diagnoses]

    @property
    def step(self) -> int:
        """How many steps the optimizer has taken."""
        return self._watch.step

    @property
    def ended(self) -> bool:
        """Whether all epochs are over; of a loop that was loaded, those that it was made for."""
        return self._epochs is not None and self._epoch >= self._epochs

    def epochs(self, epochs: int) -> Iterator[int]:
        """The numbers of the epochs that are left, from 0; where a checkpoint is due it is left after one.

        An epoch that was stopped between two batches begins again with the generators as they were, so that
        whatever it draws before its batches is drawn again.

        Args:
            epochs: of the whole training.

        Raises:
            KeyboardInterrupt: the run was asked to stop, be it in the validation, and a checkpoint is left.
        """
        self._epochs, left = epochs, self._epoch < epochs
        if self._began is None:
            self._began = states_of(self._generators, self._device())
        set_states(self._generators, self._began, self._device())
        with stoppable():  # in which it stops of itself where that is asked for after the last step
            while self._epoch < epochs:
                self._untouched = True
                yield self._epoch
                self._epoch, self._taken, self._untouched = self._epoch + 1, 0, False
                self._stopped, self._watch.looking = {}, True
                self._began = states_of(self._generators, self._device())
                if self._epoch < epochs:
                    self._pause()
            if left and self._checkpoints is not None:
                self._checkpoints.finish(self.state_dict)

    def batches(self, loader: Iterable[Batch]) -> Iterator[Batch]:
        """The batches that are left of this epoch; where a checkpoint is due it is left after one.

        After a stop the batches are drawn as when the epoch began, those that were taken are skipped, and
        everything that is kept is set as it was when it was stopped, whatever the epoch did before.

        Args:
            loader: a DataLoader, or anything else that gives the same batches from the same generators.

        Raises:
            TrainingError: not called once in each of the `epochs`, or fewer batches than were taken.
            KeyboardInterrupt: the run was asked to stop, and a checkpoint is left.
        """
        self._begin_batches(loader)
        iterator = iter(loader)
        if self._stopped:
            self._skip(iterator)
        for batch in iterator:
            yield batch
            # Only now has the loop done everything that belongs to the step.
            self._taken += 1
            self._pause()

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes in the loop, as it is between two steps.

        Raises:
            TrainingError: something in `kept` that a checkpoint cannot hold.
        """
        return {
            "tensors": shapes_of(self._model),
            "parts": {name: part.state_dict() for name, part in self._parts.items()},
            "gradients": gradients_of(self._parts),
            "watch": self._watch.state_dict(),
            "steps": self._steps,
            "epochs": (self._epochs, self._batches),
            "position": (self._epoch, self._taken),
            "began": self._began,
            "loader_began": self._loader_began,
            "generators": states_of({**self._generators, **self._loader}, self._device()),
            "kept": plain(self.kept),
        }

    def _begin_batches(self, loader: Iterable[Any]) -> None:
        if not self._untouched:
            raise TrainingError(
                "batches() must be called once in each epoch that epochs() gives: other loops, such as over "
                "validation rows, go over their loader itself"
            )
        self._untouched = False
        self._batches = len(loader) if isinstance(loader, Sized) else None
        self._loader = generators_of(loader)
        set_own_states(self._loader, self._loader_begins)
        self._loader_began, self._loader_begins = own_states(self._loader), {}

    def _skip(self, iterator: Iterator[Any]) -> None:
        for number in range(self._taken):
            if next(iterator, _END) is _END:
                raise TrainingError(
                    f"the loader gave {number} batches in epoch {self._epoch}, of which {self._taken} were "
                    "taken before the stop: it is not the same"
                )
        # What the epoch changed before its batches was in there already.
        self._load_parts(self._stopped)
        self._watch.load_state_dict(self._stopped["watch"])
        self._watch.looking = True
        generators = {**self._generators, **self._loader}
        set_states(generators, self._stopped["generators"], self._device())
        self._stopped = {}

    def _pause(self) -> None:
        """Leave a checkpoint where one is due, or where the run is asked to stop."""
        if self._checkpoints is not None and (asked() or self._checkpoints.due()):
            self._checkpoints.save(self.state_dict)
        if asked():
            stop()

    def _all_steps(self) -> int:
        if self._steps is None and self._epochs is not None and self._batches is not None:
            self._steps = self._epochs * self._batches
        if self._steps is None:
            raise TrainingError(
                "how many steps the whole training takes is not known: watch(..., steps=...), or "
                "watched.epochs(...) and watched.batches(...) with a loader that has a length"
            )
        return self._steps

    def _device(self) -> torch.device:
        return next((p.device for p in self._model.parameters()), torch.device("cpu"))

    def _resume(self, checkpoints: Checkpoints) -> None:
        try:
            state = checkpoints.load()
            other = None if state is None else other_than(self._model, self._parts, state)
            if state is not None and other is None:
                self._load(state)
        except (pickle.UnpicklingError, TrainingError) as problem:
            other = str(problem).splitlines()[0]
        if other is not None:
            self._tell(f"the loop begins anew, for its checkpoint cannot be gone on with: {other}")

    def _load(self, state: Mapping[str, Any]) -> None:
        again = state["position"][1] > 0  # the batches that were taken are skipped, and then all is set again
        self._load_parts(copy.deepcopy(state) if again else state)
        self._stopped = dict(state) if again else {}
        self._steps = state["steps"] if self._steps is None else self._steps
        self._epochs, self._batches = state["epochs"]
        self._epoch, self._taken = state["position"]
        self._began = state["began"]
        self._loader_begins = state["loader_began"] if again else state["generators"]["own"]
        self._watch.load_state_dict(state["watch"])
        self._watch.tell_again()
        self._watch.looking = not again

    def _load_parts(self, state: Mapping[str, Any]) -> None:
        for name, part in self._parts.items():  # the decay first, which refuses a state of another form
            kept = state["parts"][name]
            part.load_state_dict(tree_map_only(Tensor, on(self._device()), kept) if name == "decay" else kept)
        set_gradients(self._parts, state["gradients"])
        self.kept = copy.deepcopy(state["kept"])


_END = object()
