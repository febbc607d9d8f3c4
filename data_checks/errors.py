"""What can stop a run, as one family that the command line turns into exit codes.

    CannotProceed          it could not be carried out: exit code 2
    ├── DataError          data that cannot be read as rows of inputs and targets
    ├── PipelineError      a pipeline that cannot be found, loaded, or called with these arguments
    ├── TrainingError      a training that cannot start
    │   └── TrainingDivergedError   one that ended in numbers that are not finite
    ├── ModelError         a network or an ONNX file that does not do what its task needs
    └── RegistryError      a registry or ledger that is away, or that says what it must not
    Refused                it was carried out and the answer is no: exit code 1
    └── DataCheckFailed    the data may not be used to judge a model

They live in the lowest room because every room raises them.
Each message is one sentence: what was received, where, and what was expected.
"""


class CannotProceed(Exception):  # noqa: N818 - reads as what happened, like StopIteration
    """What was asked for could not be carried out."""


class DataError(CannotProceed):
    """Data that cannot be read as rows of inputs and targets."""


class PipelineError(CannotProceed):
    """A pipeline that cannot be found, loaded, or called with the given arguments."""


class TrainingError(CannotProceed):
    """A training that cannot start, or that diverged."""


class TrainingDivergedError(TrainingError):
    """A training that ended in numbers that are not finite: the next one of a comparison may do better."""


class ModelError(CannotProceed):
    """A network or an ONNX file that does not do what its task needs."""


class RegistryError(CannotProceed):
    """A registry or ledger that is away, or that says what it must not."""


class Refused(Exception):  # noqa: N818 - a verdict, not an error
    """It was carried out, and the answer is no."""


class DataCheckFailed(Refused):
    """A check of the data failed, so no model may be judged on it."""
