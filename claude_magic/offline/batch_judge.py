"""What comes of one request in a batch: the same referee and the same answers as without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answer import answer_as
from .batches import Judge
from .behaviours import EXPIRED, refuse, refuse_particular
from .journal import Journal
from .prefix_cache import PrefixCache
from .referee import check
from .refusal import Refusal
from .rules_batches import check_params


def batch_judge(journal: Journal, cache: PrefixCache) -> Judge:
    """What gives the results of a server's batches."""

    def judge(request: Mapping[str, Any], headers: Mapping[str, str]) -> Mapping[str, Any]:
        behaviour = journal.next_behaviour()
        if behaviour == EXPIRED:
            return {"type": "expired"}
        try:
            refuse(behaviour)
            check_params(request["params"])
            asked = check(request["params"], headers)
            journal.accept(headers, asked.body, request["custom_id"])
            refuse_particular(asked, behaviour)
        except Refusal as no:
            return {"type": "errored", "error": {**no.body(""), "request_id": None}}
        charge = cache.charge(asked)
        message = answer_as(behaviour, asked, charge, journal.next_number())
        message["usage"]["service_tier"] = "batch"
        return {"type": "succeeded", "message": message}

    return judge
