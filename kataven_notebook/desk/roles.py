"""Whose channel is whose: roles by channel, and the names that the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = ("agent", "caller")


def channel_roles(agent_channel: object, said: Mapping[int, str], *, channels: object = None) -> list[str]:
    """Return the role of each channel, "agent", "caller" or an empty text; an empty list where none is known.

    Parameters
    ----------
    agent_channel
        What the frame says; missing where it isn't known.
    said
        What other tables say, by channel; used where the frame says nothing.
    channels
        How many the recording has, where the frame says so. On one channel are both.

    Examples
    --------
    >>> channel_roles(1, {}), channel_roles(None, {0: "agent"}), channel_roles(0, {}, channels=1)
    (['caller', 'agent'], ['agent', ''], [])
    """
    if _whole(channels) == 1:
        return []
    agent = _whole(agent_channel)
    if agent is not None and agent in (0, 1):
        return [ROLES[agent], ROLES[1 - agent]]
    known = {channel: role for channel, role in said.items() if role in ROLES}
    if not known:
        return []
    return [known.get(channel, "") for channel in range(max(1, *known) + 1)]


def channel_names(roles: list[str]) -> list[str]:
    """Return how the page calls each channel; "Channel 2" where its role isn't known.

    Examples
    --------
    >>> channel_names(["agent", ""])
    ['Agent', 'Channel 1']
    """
    return [role.capitalize() if role else f"Channel {channel}" for channel, role in enumerate(roles)]


def _whole(value: object) -> int | None:
    number = pd.to_numeric(pd.Series([value], dtype=object), errors="coerce").iloc[0]
    return int(number) if pd.notna(number) and number % 1 == 0 else None
