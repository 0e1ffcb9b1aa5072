"""Why a signed URL gives the page no sound, in a sentence that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kataven_notebook.sound.formats import describe, sniff

if TYPE_CHECKING:
    from kataven_notebook.service.ranges import Look

_REFUSED = (400, 401, 403)


def plays(look: Look) -> bool:
    """Return whether the storage gave the beginning of a sound file."""
    return look.status in (200, 206) and sniff(look.head) is not None


def was_refused(look: Look) -> bool:
    """Return whether the storage refused the URL, so that another one may do."""
    return look.status in _REFUSED


def sentence(look: Look) -> str:
    """Return what happened and what to do; without the URL, which is a secret.

    Examples
    --------
    >>> from kataven_notebook.service.ranges import Look
    >>> sentence(Look("calls.example", 404))
    'The storage has no such recording (404): run audio() again to hear more. Play tries again.'
    """
    status, host = look.status, look.host
    if look.is_silent:
        return f"{host} has not answered yet. The call plays when its sound comes; Play asks again."
    if status is None:
        return f"No connection to {host}: {look.problem}. Check the network, a proxy and the VPN, then press Play."
    if status >= 300:
        return _refusal(status, is_expired=look.is_expired)
    if look.is_page:
        what = "A web page came in place of sound, from a network that asks to sign in, or from a proxy"
        return f"{what}: settle it there, then press Play."
    return f"What the storage sent can't be played: {describe(look.head)}. Play tries again; audio() says more."


def _refusal(status: int, *, is_expired: bool) -> str:
    if is_expired:
        return "The signed URL has expired: run audio() or recordings() on the frame and open the player again."
    if status in _REFUSED:
        return f"The storage refuses the signed URL ({status}): run audio() or recordings() again. Play tries again."
    if status in (404, 410):
        return f"The storage has no such recording ({status}): run audio() again to hear more. Play tries again."
    return f"The storage fails (status {status}): wait a little, then press Play."
