"""Every error a user can cause or mend. Imports nothing, so every room can raise them.

EctopyError
├── FormatError        the file is not what it says it is, or can't be read
├── TooLargeError      files larger, or more of them, than may be taken in
├── LeadError          no such lead, or no lead at all
├── SignalError        samples that can't be analysed as asked (rate, shape, type, all missing)
├── RecordError        no such record or database
├── DownloadError      the network, the server or the bytes it sent
├── OutputError        a file or folder that can't be written
├── ModelError         no such model, or a training run that doesn't fit
├── FrameError         a binary frame that is cut short or damaged
├── ConflictError      samples that are there already, and are others; a stream that is otherwise in the way
├── BusyError          the service can't take more just now
├── ServiceError       the service can't be reached, or says no
├── SettingsError      a setting that is unknown or can't be
├── AlarmError         no such alarm, or a rule, pause or acknowledgement that can't be
├── StateError         a stream used after its end, or a saved state of another model, rate or leads
└── HashError          an installed model is damaged
"""


class EctopyError(Exception):
    """Base of every error a user can cause or mend.

    The message names the thing, what was found, what was expected and what to do, in one line.
    """

    status = 400  # what a service answers


class FormatError(EctopyError):
    """The file is not what it says it is, or can't be read."""

    @classmethod
    def unreadable(cls, path: object, error: OSError) -> "FormatError":
        """What the system says of a file that is there."""
        return cls(f"{path}: can't be read ({error.strerror}); check the file and its permissions")


class TooLargeError(EctopyError):
    """Files larger, or more of them, than may be taken in."""

    status = 413


class LeadError(EctopyError):
    """No lead of that name, or no lead at all."""


class SignalError(EctopyError):
    """Samples that can't be analysed as asked: rate, shape, type, all missing."""


class RecordError(EctopyError):
    """No such record or database."""

    status = 404


class DownloadError(EctopyError):
    """The network, the server, or the bytes it sent."""

    status = 502


class OutputError(EctopyError):
    """A file or folder that can't be written."""

    status = 500


class ModelError(EctopyError):
    """No such model, or a training run that doesn't fit the one asked for."""

    status = 404


class StateError(EctopyError):
    """A stream used after its end, or a saved state of another model, rate or set of leads."""

    status = 409


class HashError(EctopyError):
    """An installed model is damaged."""

    status = 500


class FrameError(EctopyError):
    """A binary frame that is no frame, cut short or damaged."""


class ConflictError(EctopyError):
    """Samples that are there already, and are others; an epoch that has ended."""

    status = 409


class BusyError(EctopyError):
    """The service can't take more just now; `retry_after_s` later it may."""

    status = 429

    def __init__(self, message: str, retry_after_s: int = 1, status: int = 429):
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.status = status


class ServiceError(EctopyError):
    """The service can't be reached, or says no."""

    status = 502


class SettingsError(EctopyError):
    """A setting of the service that is unknown or can't be."""


class AlarmError(EctopyError):
    """No such alarm (404), or a rule, pause, condition or acknowledgement that can't be (422)."""

    def __init__(self, message: str, status: int = 422):
        super().__init__(message)
        self.status = status
