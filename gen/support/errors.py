"""Errors of planning and building that several rooms raise."""

from __future__ import annotations

from model.errors import ShiftaddError


class PlanError(ShiftaddError, ValueError):
    """A plan cannot be made, read or used; the message says why and what would help."""


class DoesNotFitError(PlanError):
    """A network or its netlist does not fit a device, or does not meet what is asked of it.

    ratio: what it takes of the scarcest resource, over what may be used; so far from fitting.
    resource, used, available: of a netlist, as the tools count them.
    """

    exit_status = 1

    def __init__(
        self,
        message: str,
        ratio: float = 2.0,
        *,
        resource: str = "",
        used: int = 0,
        available: int = 0,
    ) -> None:
        super().__init__(message)
        self.ratio = ratio
        self.resource, self.used, self.available = resource, used, available
