"""After a refusal: what the server's own list of models has to say to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..messages.errors import APIError, BadRequest, ClaudeError, InputError, NotFound
from .known_models import KnownModels
from .plan import Plan

if TYPE_CHECKING:
    from ..messages.transport.client import Client

# What the list decides about a request; a refusal of anything else is none of its business.
_SHAPED = ("thinking", "output_config", "max_tokens")


class Informer:
    """Asks for the list of models once, after the first refusal that it may explain.

    `again` gives the plan of the same question as it would be made now.
    """

    def __init__(self, known: KnownModels, plan: Plan, again: Callable[[], Plan]) -> None:
        self._known = known
        self._plan = plan
        self._again = again

    def __call__(self, client: Client, error: APIError) -> Mapping[str, Any]:
        """The fields of the request that the list has otherwise; None in place of one to leave out.

        Empty where it has none, or is not to be had: the refusal stands. Raises NotFound, naming
        what comes nearest, if the list does not have the model.
        """
        if not isinstance(error, NotFound | BadRequest) or self._known.knows(self._plan.server):
            return {}
        try:
            self._known.learn(self._plan.server, client.models())
        except ClaudeError:
            self._known.learn(self._plan.server, None)
            return {}
        if isinstance(error, NotFound):
            self._check_listed(error)
            return {}
        try:
            now = self._again().request.body
        except InputError:
            return {}
        before = self._plan.request.body
        return {n: now.get(n) for n in _SHAPED if now.get(n) != before.get(n)}

    def _check_listed(self, error: NotFound) -> None:
        server, model = self._plan.server, self._plan.model
        known = self._known.listed_by(server, self._plan.known)
        unlisted = known.unlisted(model.id, server.host)
        if unlisted:
            raise NotFound(
                f"{unlisted} (404). %claude_models shows the list.",
                status=error.status,
                error_type=error.error_type,
                request_id=error.request_id,
                details=error.details,
            )
