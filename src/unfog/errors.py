"""Everything that can go wrong, as one tree. Each message names the input and says what to try next.

UnfogError
|- UsageError        the command line asked for something that does not exist
|- ConfigError       a configuration has an unknown key or a value out of range
|- DataError         a picture, folder, archive, table or data set cannot be used
|- ModelError        a model folder is missing, damaged, or of another format version
|- SampleError       the sampler, grid or guidance does not fit the model
|  |- TimeOutOfRange     t outside [0, 1]
|  `- WrongPosterior     sampler and denoiser speak of different things
|- TrainError        training cannot start or go on
|- Stopped           somebody asked a run to stop; it is saved
|- OutputError       a file cannot be written
`- MissingExtra      an optional library is not installed
"""


class UnfogError(Exception):
    """Base of all errors that unfog raises on purpose; the command line prints it without a traceback."""


class UsageError(UnfogError):
    """The command was called with something it cannot do; exit code 2."""


class ConfigError(UnfogError):
    """A configuration key or value that does not exist."""


class DataError(UnfogError):
    """Input data that cannot be used."""


class ModelError(UnfogError):
    """A saved model that cannot be loaded."""


class SampleError(UnfogError):
    """A sampler, time grid or guidance that does not fit."""


class TimeOutOfRange(SampleError):
    """A time outside [0, 1]."""


class WrongPosterior(SampleError):
    """A sampler that steps on another kind of posterior than the denoiser returns."""


class TrainError(UnfogError):
    """Training that cannot start, or cannot go on."""


class Stopped(UnfogError):
    """A run that was asked to stop (Ctrl-C); everything is saved, the message says how to go on."""


class OutputError(UnfogError):
    """A file that cannot be written."""


class MissingExtra(UnfogError):
    """An optional dependency is absent."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"This needs the package {package!r}. Install it with: pip install 'unfog[{extra}]'")
        self.package, self.extra = package, extra
