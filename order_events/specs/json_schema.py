"""JSON schemas of pydantic models, collected for a document's `components`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]
"""Whether we receive or send the model; fields with a default are required only when sent."""

_PREFIX = "#/components/schemas/"
_PLACE = _PREFIX + "{model}"


class Schemas:
    """Schemas of models. `components` has each of them once, with all that they refer to."""

    def __init__(self, taken: Iterable[type[BaseModel]], given: Iterable[type[BaseModel]]) -> None:
        wanted: list[tuple[type[BaseModel], Mode]] = [
            *((model, "validation") for model in dict.fromkeys(taken)),
            *((model, "serialization") for model in dict.fromkeys(given)),
        ]
        places, definitions = models_json_schema(wanted, ref_template=_PLACE)
        named = _named(definitions.get("$defs", {}))
        self._places = {key: _renamed(place, named) for key, place in places.items()}
        self.components: dict[str, Schema] = {
            named[name]: _renamed(schema, named) | {"title": named[name]}
            for name, schema in definitions.get("$defs", {}).items()
        }
        self._dropped: dict[str, Schema] = {}

    def taken(self, model: type[BaseModel]) -> Schema:
        """Return a reference to the schema of a model that we receive."""
        return dict(self._places[model, "validation"])

    def given(self, model: type[BaseModel]) -> Schema:
        """Return a reference to the schema of a model that we send."""
        return dict(self._places[model, "serialization"])

    def drop(self, model: type[BaseModel]) -> Schema:
        """Remove and return the schema of a received model.

        For models that the document spells out elsewhere.
        """
        name = self.taken(model)["$ref"].rpartition("/")[2]
        if name in self.components:
            self._dropped[name] = self.components.pop(name)
        return self._dropped[name]


def _named(components: Iterable[str]) -> dict[str, str]:
    """Return a name for each component that generators can make a class of, each once.

    A model that differs by direction is called by its own name where it is sent.
    """
    return {name: name.removesuffix("-Output").replace("-", "") for name in components}


def _renamed(schema: Any, named: Mapping[str, str]) -> Any:
    """Return a schema whose references lead to the components' new names."""
    if isinstance(schema, dict):
        return {key: _renamed(value, named) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_renamed(each, named) for each in schema]
    if isinstance(schema, str) and schema.startswith(_PREFIX):
        return _PREFIX + named[schema.removeprefix(_PREFIX)]
    return schema


def limits(settings: BaseModel, names: Iterable[str]) -> dict[str, Schema]:
    """Return the values of settings that are limits, with their descriptions."""
    fields = type(settings).model_fields
    return {
        name: {"value": getattr(settings, name), "meaning": fields[name].description}
        for name in names
    }
