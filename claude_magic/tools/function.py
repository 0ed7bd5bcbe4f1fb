"""A tool made of a Python function: its signature gives the schema, its docstring the words.

Read by docstring-parser: three grammars and their mixtures are no part of what this package is for.

pydantic writes the schema and checks the arguments that a model gives; it is imported when the
first tool is made.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from ..messages.body import as_json
from ..messages.errors import InputError
from ..messages.plain_text import in_a_line
from ..value_classes import frozen
from .tool import Arguments, ArgumentsError, Tool, marks_of, mended_name

if TYPE_CHECKING:
    from docstring_parser.common import Docstring
    from pydantic import BaseModel, ValidationError


@frozen
class Documentation:
    """What a function does and returns; what is said of parameters, and of their types."""

    text: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)


def documentation(function: Callable[..., Any]) -> Documentation:
    """What `function`'s docstring says; empty where it has none."""
    written = _docstring(function)
    if not written:
        return Documentation()
    from docstring_parser import ParseError, parse

    try:
        found = parse(written)
    except ParseError:  # a style of its own: as it stands
        return Documentation(written)
    parts = [found.short_description, found.long_description, _returned(found)]
    described = list(_described_parameters(found))
    return Documentation(
        "\n\n".join(part for part in parts if part),
        {name: words for name, words, _ in described if words},
        {name: kind for name, _, kind in described if kind},
    )


def bare(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that a `functools.partial` calls in the end; any other as it is."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _docstring(function: Callable[..., Any]) -> str:
    written = bare(function)
    if inspect.isroutine(written) or inspect.isclass(written):
        return inspect.getdoc(written) or ""
    # An object that can be called: its class may say what it is, its __call__ what it does.
    own = vars(type(written)).get("__call__")
    return inspect.cleandoc(getattr(own, "__doc__", None) or "") or inspect.getdoc(written) or ""


def _described_parameters(found: Docstring) -> Iterator[tuple[str, str, str]]:
    """Name, words and type of each parameter that is described."""
    for parameter in found.params:
        words = " ".join((parameter.description or "").split())
        for name in parameter.arg_name.split(","):  # NumPy: "x, y : float"
            yield name.strip().lstrip("*"), words, parameter.type_name or ""


def _returned(found: Docstring) -> str:
    if found.returns is None:
        return ""
    kind, words = found.returns.type_name, found.returns.description
    said = ": ".join(" ".join(part.split()) for part in (kind, words) if part)
    return f"Returns {said}" if said else ""


_MOST_FAULTS = 5


@frozen
class _Parameter:
    """One parameter that the model gives: under the name `alias`, in the model's `field`."""

    name: str
    alias: str
    field: str
    annotation: Any
    default: Any
    positional: bool


def function_tool(function: Callable[..., Any], name: str = "") -> Tool:
    """`function` as a tool, called `name` unless `@tool` says otherwise.

    What the model cannot give as JSON, and what a partial has bound already, is left to its
    default. Raises InputError where no tool can be made of it: what it takes is not known, or a
    parameter has neither a form in JSON nor a default.
    """
    marks = marks_of(function)
    called = marks.name or mended_name(name or _own_name(function))
    documented = documentation(function)
    parameters = list(_parameters(function, called))
    model = _model(called, parameters, documented)
    return Tool(
        called,
        marks.description or documented.text or _undocumented(called, parameters),
        _schema(model),
        function,
        functools.partial(_arguments, model, parameters),
        marks.approve,
        marks.timeout,
    )


def _own_name(function: Callable[..., Any]) -> str:
    written = bare(function)
    return str(getattr(written, "__name__", type(written).__name__))


def _undocumented(name: str, parameters: Sequence[_Parameter]) -> str:
    takes = ", ".join(parameter.name for parameter in parameters)
    return f"{name}({takes}), a function of the user's notebook. It has no documentation."


def _parameters(function: Callable[..., Any], name: str) -> Iterator[_Parameter]:
    bound = _bound_by_name(function)
    for number, parameter in enumerate(_signature(function, name).parameters.values()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise InputError(
                f"{name} takes {parameter}: a model has to be told each parameter. Give it a "
                "function that names them (a decorator keeps a signature with functools.wraps)."
            )
        if parameter.name in bound:
            continue
        annotation = Any if parameter.annotation is parameter.empty else parameter.annotation
        if not _has_json(annotation):
            if parameter.default is not parameter.empty:
                continue
            kind = getattr(annotation, "__name__", str(annotation))
            raise InputError(
                f"{name}: a model cannot give {parameter.name}, a {kind}. Give it a default, bind "
                "it with functools.partial, or take something that JSON can hold."
            )
        yield _Parameter(
            parameter.name,
            _alias(parameter.name, number),
            f"p{number}",
            annotation,
            parameter.default,
            parameter.kind is parameter.POSITIONAL_ONLY,
        )


def _alias(name: str, number: int) -> str:
    """A parameter's name as the API takes it for a property's key, which is as for tools."""
    try:
        mended = mended_name(name)
    except InputError:  # nothing of it is ASCII
        mended = "argument"
    return name if mended == name else f"{mended}_{number}"


def _bound_by_name(function: Callable[..., Any]) -> set[str]:
    """The parameters to which partials give a value by name: those are decided."""
    bound: set[str] = set()
    while isinstance(function, functools.partial):
        bound |= set(function.keywords)
        function = function.func
    return bound


def _signature(function: Callable[..., Any], name: str) -> inspect.Signature:
    try:
        return inspect.signature(function, eval_str=True)
    except NameError as error:
        raise InputError(
            f"{name}: a type of its signature is not known here: {error}. Define it first."
        ) from None
    except (TypeError, ValueError):
        problem = f"{name}: what it takes is not known, as it is not written in Python."
    except Exception as error:  # an annotation in quotes may raise whatever it likes
        problem = f"{name}: a type of its signature cannot be read: {in_a_line(error)}."
    raise InputError(f"{problem} Define a function that calls it.")


def _has_json(annotation: Any) -> bool:
    from pydantic import PydanticUserError, TypeAdapter

    try:
        TypeAdapter(annotation).json_schema()
    except (PydanticUserError, NameError, TypeError):
        return False
    return True


def _model(
    name: str, parameters: Sequence[_Parameter], documented: Documentation
) -> type[BaseModel]:
    from pydantic import ConfigDict, create_model

    # The fields have names of our own, since a parameter may be called what a model may not call
    # a field ("copy", "_x"); aliases are what schema, input and errors show.
    fields: dict[str, Any] = {
        parameter.field: (
            _annotated(parameter, documented),
            ... if parameter.default is inspect.Parameter.empty else parameter.default,
        )
        for parameter in parameters
    }
    config = ConfigDict(extra="forbid")
    model: type[BaseModel] = create_model(name, __config__=config, **fields)
    return model


def _annotated(parameter: _Parameter, documented: Documentation) -> Any:
    """The parameter's type with what is said of it."""
    from pydantic import Field

    words = _described(parameter.annotation) or documented.parameters.get(parameter.name, "")
    if parameter.annotation is Any and parameter.name in documented.types:
        words = f"{words} ({documented.types[parameter.name]})".strip()
    if parameter.alias != parameter.name:
        words = f"{parameter.name}: {words}".strip(": ")
    return Annotated[parameter.annotation, Field(alias=parameter.alias, description=words or None)]


def _described(annotation: Any) -> str:
    """What `Annotated[..., "words"]` or `Annotated[..., Field(description="words")]` says."""
    if get_origin(annotation) is not Annotated:
        return ""
    for extra in get_args(annotation)[1:]:
        words = extra if isinstance(extra, str) else getattr(extra, "description", None)
        if isinstance(words, str) and words.strip():
            return words.strip()
    return ""


def _schema(model: type[BaseModel]) -> Mapping[str, Any]:
    from pydantic.json_schema import GenerateJsonSchema

    class Generate(GenerateJsonSchema):
        # A default that JSON cannot hold is not shown; the function has it all the same.
        ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

        def field_title_should_be_set(self, _: Any) -> bool:
            return False  # it would be the parameter's name once more

    schema = model.model_json_schema(schema_generator=Generate)
    schema.pop("title", None)
    return {"type": "object", "properties": {}, **schema}


def _arguments(
    model: type[BaseModel], parameters: Sequence[_Parameter], given: Mapping[str, Any]
) -> Arguments:
    from pydantic import ValidationError

    try:
        checked = model.model_validate_json(as_json(dict(given)))
    except ValidationError as error:
        raise ArgumentsError(_faults(error)) from None
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in parameters:
        told = parameter.field in checked.model_fields_set
        if not told and not parameter.positional and not _is_field(parameter.default):
            continue  # the function has its default
        value = getattr(checked, parameter.field)
        if parameter.positional:
            positional.append(value)
        else:
            named[parameter.name] = value
    return Arguments(tuple(positional), named)


def _is_field(default: Any) -> bool:
    """Whether a default is pydantic's description of one: a function would get that itself."""
    from pydantic.fields import FieldInfo

    return isinstance(default, FieldInfo)


def _faults(error: ValidationError) -> str:
    """What pydantic has against the arguments, in one line, without the values."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    said = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults]
    if len(said) > _MOST_FAULTS:
        said[_MOST_FAULTS:] = [f"and {len(said) - _MOST_FAULTS} more"]
    return "; ".join(said)
