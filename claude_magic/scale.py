"""Claude in Daft's queries: a provider for `daft.functions.prompt`, here and on Ray.

    import daft
    from daft.functions import prompt
    from claude_magic.scale import ClaudeProvider

    daft.attach_provider(ClaudeProvider())
    words = daft.lit("What organism is this?")
    df = df.with_column("organism", prompt([words, daft.col("image")], provider="claude"))

Imports daft, which the extra `scale` installs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daft.ai.metrics import record_token_metrics
from daft.ai.protocols import Prompter, PrompterDescriptor
from daft.ai.provider import Provider
from daft.datatype import DataType

from .api import access_here
from .captions.datasets.remote import THREADS_A_SLOT, Answering, RemoteServer
from .captions.datasets.rows import content_of, prompt_job
from .captions.datasets.work import plain
from .captions.image_question import JobBudget
from .messages.errors import ClaudeError, InputError

if TYPE_CHECKING:
    from .captions.image_question import Job
    from .captions.job import Access

_log = logging.getLogger(__name__)
_OF_DAFT = ("max_retries", "on_error")
_OURS = ("max_tokens", "effort", "think", "hires")


class ClaudeProvider(Provider):
    """Claude as a provider of Daft. Settings and key are those of the notebook or environment.

    `concurrency` is the most requests at once, of one query and process; the server's rate limits
    make it fewer, and what it refuses is asked again. `budget` in USD counts for all queries of
    this provider together, wherever they run; by default it is what is left of the kernel's.
    The key does not travel: a worker on another machine needs ANTHROPIC_API_KEY there.
    """

    def __init__(
        self,
        name: str = "claude",
        *,
        model: str | None = None,
        concurrency: int = 16,
        budget: float | None = None,
        access: Access | None = None,
    ) -> None:
        """`access` stands in for the notebook's own settings and key."""
        found, left = access_here() if access is None else (access, None)
        self._name = name
        self._model = model
        self._concurrency = concurrency
        self._reach = RemoteServer(
            found, JobBudget(left if budget is None else budget, found.spend)
        )

    @property
    def name(self) -> str:
        return self._name

    def get_prompter(
        self,
        model: str | None = None,
        return_format: Any | None = None,
        system_message: str | None = None,
        **options: Any,
    ) -> PrompterDescriptor:
        """What asks for `prompt`. Raises InputError for options, a model or a format that are none.

        `options` are, as for `%%claude`, max_tokens, effort, think, hires; and Daft's `on_error`:
        a row that fails ends the query, or is null with "log" and "ignore". What concerns all
        rows, such as a refused key, always ends it.
        """
        for name in options:
            if name not in (*_OF_DAFT, *_OURS):
                raise InputError(f"prompt: {name} is no option: use {', '.join(_OURS)}.")
        asked = ClaudePrompter(
            self._reach,
            model or self._model,
            return_format,
            system_message or "",
            self._concurrency,
            self._name,
            options,
        )
        for line in asked.job().notices:
            _log.warning(line)
        return asked


@dataclass
class ClaudePrompter(PrompterDescriptor):
    """What a query holds of the question; it travels to where the query runs."""

    reach: RemoteServer
    model: str | None
    return_format: Any
    system: str
    concurrency: int
    provider: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def get_provider(self) -> str:
        return self.provider

    def get_model(self) -> str:
        return self.job().model.id

    def get_options(self) -> dict[str, Any]:
        # Retries are ours: they know what the server says of the time to wait. So is what becomes
        # of a row that fails: Daft would drop the answers of its neighbours as well.
        return {"max_retries": 0, "concurrency": THREADS_A_SLOT * self.concurrency}

    def job(self) -> Job:
        """The question. Raises InputError for a model or a format that is none."""
        ours = {name: self.options[name] for name in _OURS if name in self.options}
        return prompt_job(self.reach.access, self.model, self.return_format, self.system, **ours)

    def instantiate(self) -> Prompter:
        return _Prompter(self)


class _Prompter(Prompter):
    """Asks, on a worker."""

    def __init__(self, asked: ClaudePrompter) -> None:
        self._asked = asked
        self._job = asked.job()
        self._answering = Answering(self._job, asked.reach, asked.concurrency)
        self._as_text = asked.return_format is not None and not _is_known(asked.return_format)

    async def prompt(self, messages: tuple[Any, ...]) -> Any:
        """The answer to one row; None for a row that lacks something. Raises ClaudeError."""
        if any(part is None for part in messages):
            return None
        answer = await self._answering.answer(lambda: content_of(self._job, messages))
        record_token_metrics(
            protocol="prompt",
            model=self._job.model.id,
            provider=self._asked.provider,
            input_tokens=answer.usage.input,
            output_tokens=answer.usage.output,
            total_tokens=answer.usage.input + answer.usage.output,
        )
        if answer.error:
            return self._failed(answer.error)
        if self._as_text:
            return json.dumps(plain(answer.value), ensure_ascii=False)
        return answer.value

    def _failed(self, error: str) -> None:
        """What stands in a row that failed. Raises ClaudeError where the query is to end."""
        match self._asked.options.get("on_error", "raise"):
            case "log":
                _log.warning("A row has no answer: %s", error)
            case "ignore":
                pass
            case _:
                raise ClaudeError(error)


def _is_known(return_format: Any) -> bool:
    """Whether Daft has a column type for it; else its values are text, as JSON."""
    try:
        DataType.infer_from_type(return_format)
    except Exception:  # as daft.functions.prompt decides
        return False
    return True


__all__: Sequence[str] = ["ClaudeProvider"]
