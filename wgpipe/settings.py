"""Reading YAML strictly, merging overlays, and saying in one sentence what is wrong with a setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from reprlib import Repr
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wgpipe.errors import UserError, suggestion

Model = TypeVar("Model", bound=BaseModel)


Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C where there is: settings are read for every job
KEYS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
DEEPEST = 50  # levels of a file of settings: tens of thousands would overflow the stack of the interpreter
MOST = 100_000  # values of a file, those of an anchor counted wherever it is used: ten lines could stand for billions
SHORT = Repr()
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 200
SHORT.maxlist = SHORT.maxdict = 10


def read_yaml(file: Path) -> dict[str, Any]:
    """The mapping in a file; a `UserError` with the line if it cannot be read, or gives a key twice."""
    try:
        content = _parsed(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8 text (byte {error.start}).") from error
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{file}{line}: {error.problem or 'not YAML'}.") from error
    except yaml.YAMLError as error:
        raise UserError(f"{file} is not YAML: {str(error).splitlines()[0]}.") from error
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise UserError(f"{file} has a value that is not what it is written as ({_reason(error)}).") from None
    if not isinstance(content, dict):
        raise UserError(f"{file} must hold 'key: value' lines, and holds {_shown(content)}.")
    return content


def _parsed(text: str) -> Any:
    _check_depth(text)
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _check_keys(root, set())
        if _size(root, {}, set()) > MOST:
            raise yaml.constructor.ConstructorError(None, None, f"more than {MOST} values", root.start_mark)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _check_depth(text: str) -> None:
    """Raise for lists and mappings in each other, more than `DEEPEST`, before anything walks through them."""
    loader, depth = Loader(text), 0
    try:
        while loader.check_event():
            event = loader.get_event()
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                mark = event.start_mark
                raise yaml.constructor.ConstructorError(None, None, f"more than {DEEPEST} levels", mark)
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int], inside: set[int]) -> int:
    """Values below a node, itself included; raises for one that contains itself."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) in inside:
        raise yaml.constructor.ConstructorError(None, None, "a value contains itself", node.start_mark)
    if id(node) not in known:
        pairs = isinstance(node, yaml.MappingNode)
        below = [part for pair in node.value for part in pair] if pairs else node.value
        known[id(node)] = 1 + sum(_size(part, known, inside | {id(node)}) for part in below)
    return known[id(node)]


def _wrong_key(key: yaml.Node, before: set[str]) -> str:
    """What is wrong with a key after these; empty: nothing."""
    if not isinstance(key, yaml.ScalarNode):
        return "a key must be a text"
    if key.value in before:
        return f"'{key.value}' is given twice"
    return "" if key.tag in KEYS else f"'{key.value}' is read as {key.tag.rpartition(':')[2]}, no text; quote it"


def _check_keys(node: yaml.Node, seen: set[int]) -> None:
    """Raise for a key that is no text, or that a mapping below `node` gives twice; `seen`: nodes that are checked."""
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            problem = _wrong_key(key, keys)
            if problem:
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            keys.add(key.value)
            _check_keys(value, seen)
    else:
        for item in node.value:
            _check_keys(item, seen)


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` on top of `base`: mappings are merged key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def validated(model: type[Model], data: Any, where: str | Callable[[str], str]) -> Model:
    """`data` as a model, or a `UserError` about its first mistake: where, key, value, what is accepted.

    `where` names the file, or gives the name of the file that a top-level key comes from.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
        file = where if isinstance(where, str) else where(str(first["loc"][0]) if first["loc"] else "")
        raise UserError(f"{file}: {_sentence(model, first)}") from None


def _sentence(model: type[BaseModel], first: ErrorDetails) -> str:
    key = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "extra_forbidden":
            parent = _model_at(model, first["loc"][:-1])
            return f"'{key}' is not a setting{suggestion(str(first['loc'][-1]), parent.model_fields)}"
        case "missing":
            return f"'{key}' is missing."
        case "value_error":
            reason = str(first["ctx"]["error"])
            return f"{key} = {_shown(first['input'])}: {reason}." if key else f"{reason}."
        case _:
            message = first["msg"].removeprefix("Input ").rstrip(".")
            return f"{key} = {_shown(first['input'])}: it {message}."


def _reason(error: Exception) -> str:
    """The first words of an exception, whatever it holds."""
    words = " ".join(str(error).split())
    return words[:80] or type(error).__name__


def _shown(value: Any) -> str:
    text = " ".join(SHORT.repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


def _model_at(model: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel]:
    """The model that holds the value at a location, following fields, lists, mappings and optional models."""
    current: Any = model
    for part in location:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = field.annotation if field else current
        elif get_args(current):
            current = get_args(current)[-1]
        if get_origin(current) is UnionType:
            current = next((option for option in get_args(current) if option is not NoneType), current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else model


def parsed_settings(given: str) -> dict[str, Any]:
    """Settings as JSON, by which Snakemake hands on its own."""
    try:
        settings = json.loads(given)
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise UserError(f"--settings {given[:80]}: it must be a mapping in JSON.")
    return settings


def parsed_overrides(given: list[str]) -> dict[str, Any]:
    """`["mirror=../data", "threads=2"]` -> settings, values read as YAML."""
    settings = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals:
            raise UserError(f"--set {item}: it must be KEY=VALUE, such as --set mirror=../data.")
        try:
            settings[key] = _parsed(value)
        except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, OverflowError):
            raise UserError(f"--set {item}: '{value}' is not a YAML value.") from None
    return settings
