"""JSON schemas of pydantic models, gathered for a document's `components`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]
"""Whether the model is what we take or what we give: an optional field differs."""

_PLACE = "#/components/schemas/{model}"


class Schemas:
    """The schemas of some models; `components` has each once, with all that it refers to."""

    def __init__(self, taken: Iterable[type[BaseModel]], given: Iterable[type[BaseModel]]) -> None:
        wanted: list[tuple[type[BaseModel], Mode]] = [
            *((model, "validation") for model in dict.fromkeys(taken)),
            *((model, "serialization") for model in dict.fromkeys(given)),
        ]
        self._places, definitions = models_json_schema(wanted, ref_template=_PLACE)
        self.components: dict[str, Schema] = definitions.get("$defs", {})
        self._dropped: dict[str, Schema] = {}

    def taken(self, model: type[BaseModel]) -> Schema:
        """A reference to a model that we take."""
        return dict(self._places[model, "validation"])

    def given(self, model: type[BaseModel]) -> Schema:
        """A reference to a model that we give."""
        return dict(self._places[model, "serialization"])

    def drop(self, model: type[BaseModel]) -> Schema:
        """The schema of a model that we take and that the document spells out elsewhere."""
        name = self.taken(model)["$ref"].rpartition("/")[2]
        if name in self.components:
            self._dropped[name] = self.components.pop(name)
        return self._dropped[name]


def limits(settings: BaseModel, names: Iterable[str]) -> dict[str, Schema]:
    """The values of settings that are limits, with what the settings say of them."""
    fields = type(settings).model_fields
    return {
        name: {"value": getattr(settings, name), "meaning": fields[name].description}
        for name in names
    }
