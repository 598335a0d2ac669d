"""What a service's refusals become: the `EctopyError` of the same status, with its reason."""

from __future__ import annotations

import httpx
from pydantic import ValidationError
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from ectopy.errors import BusyError, ConflictError, EctopyError, RecordError, ServiceError, SignalError
from ectopy.wire import Refused

# Close codes of a WebSocket that say no for good, as statuses; after any other it is worth coming back.
_FINAL = {1009: 413, 4400: 400, 4403: 403, 4404: 404, 4409: 409}


def refusal(status: int, reason: str, retry_after_s: int = 1) -> EctopyError:
    """The error of that status."""
    if status in (429, 503):
        return BusyError(reason, retry_after_s, status)
    kinds: dict[int, type[EctopyError]] = {404: RecordError, 409: ConflictError}
    kinds |= dict.fromkeys((400, 413, 415, 422), SignalError)
    error = kinds.get(status, ServiceError)(reason)
    error.status = status
    return error


def refused_by(response: httpx.Response) -> EctopyError:
    """What an HTTP answer of 400 and more says; its body has been read."""
    where = f"{response.request.url}: answered {response.status_code}"
    try:
        reason = response.json()["reason"]
    except (ValueError, KeyError, TypeError):
        if response.status_code < 500:
            return _with_status(
                ServiceError(f"{where} and no reason; is this an Ectopy service?"), response.status_code
            )
        reason = f"{where} {response.reason_phrase}".rstrip()
    wait = response.headers.get("Retry-After", "")
    return refusal(response.status_code, str(reason), int(wait) if wait.isdecimal() else 1)


def refused_on(message: Refused) -> EctopyError:
    """What a WebSocket's message says."""
    return refusal(message.status, message.reason)


def closed(where: str, error: ConnectionClosed) -> EctopyError:
    """Why a WebSocket is no more: `may_pass` tells whether to come back."""
    frame = error.rcvd
    if frame is None:
        return ServiceError(f"{where}: the connection broke")
    if frame.code == 4409:
        return ConflictError(frame.reason or f"{where}: another writer took over")
    if frame.code in _FINAL:
        return refusal(_FINAL[frame.code], frame.reason or f"{where}: closed with code {frame.code}")
    return ServiceError(f"{where}: the service closed the connection ({frame.code} {frame.reason}".rstrip() + ")")


def unreachable(url: str, error: Exception) -> ServiceError:
    """No answer at all."""
    why = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return ServiceError(f"{url}: no answer in time; is the service up, and is it this address?")
    return ServiceError(f"{url}: no service there ({why}); start one with 'ectopy serve', or name another address")


def not_shaken(url: str, error: InvalidHandshake) -> EctopyError:
    """A WebSocket that was not opened."""
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        return _with_status(ServiceError(f"{url}: answered {status} where a WebSocket was asked for"), status)
    return unreachable(url, error)


def misunderstood(where: str, error: ValidationError) -> ServiceError:
    """An answer in another shape than the wire's."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or "answer"
    what = f"{place}: {first['msg']}"
    return _with_status(ServiceError(f"{where}: not understood ({what}); are service and client of one version?"), 400)


def may_pass(error: EctopyError) -> bool:
    """Whether the same may work later: the service is away, restarting or busy."""
    return error.status >= 500 or error.status == 429


def _with_status(error: ServiceError, status: int) -> ServiceError:
    error.status = status
    return error
