"""Reading YAML strictly, merging overlays, and saying in one sentence what is wrong with a setting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wgpipe.errors import UserError, suggestion

Model = TypeVar("Model", bound=BaseModel)


Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C where there is: settings are read for every job


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
    if not isinstance(content, dict):
        raise UserError(f"{file} must hold 'key: value' lines, and holds {_shown(content)}.")
    return content


def _parsed(text: str) -> Any:
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _check_keys(root, set())
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _check_keys(node: yaml.Node, seen: set[int]) -> None:
    """Raise for a key that a mapping below `node` gives twice; `seen` holds the nodes that are checked already."""
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' is given twice", key.start_mark)
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


def _shown(value: Any) -> str:
    text = repr(value)
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


def parsed_overrides(given: list[str]) -> dict[str, Any]:
    """`["mirror=../data", "threads=2"]` -> settings, values read as YAML."""
    settings = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals:
            raise UserError(f"--set {item}: it must be KEY=VALUE, such as --set mirror=../data.")
        try:
            settings[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise UserError(f"--set {item}: '{value}' is not a YAML value.") from None
    return settings
