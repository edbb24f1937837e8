"""Calls every route with the client that openapi-python-client has generated.

    python call.py FOLDER URL TOKEN ORDER TABLE

Bodies are the smallest that the document allows, so that many are refused. Exits with 1 if a route
answers with a status that the document does not have, or if a route that only reads is refused.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
import typing
from pathlib import Path

folder, url, token, order, table = sys.argv[1:]
sys.path.insert(0, folder)
from client import AuthenticatedClient, api  # noqa: E402  it has just been generated
from client.types import Unset  # noqa: E402

DOCUMENT = json.loads((Path(folder) / "openapi.json").read_text())
OPERATIONS = {
    operation["operationId"]: operation
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
}
IDS = {"orders": order, "tables": table}


def sample(schema: dict[str, typing.Any]) -> typing.Any:
    """Return the smallest value that a schema allows, or nearly so."""
    if "$ref" in schema:
        return sample(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return sample(schema["anyOf"][0])
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {name: sample(properties[name]) for name in schema.get("required", ())}
    if schema.get("type") == "array":
        return [sample(schema["items"])] * schema.get("minItems", 0)
    number = schema.get("minimum", 1)
    scalars = {"integer": number, "number": number, "boolean": True}
    return scalars.get(str(schema.get("type")), "x" * max(1, schema.get("minLength", 1)))


def arguments(module: typing.Any, operation: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """Return what an operation's function needs, besides the client."""
    given: dict[str, typing.Any] = {
        parameter["name"]: sample(parameter["schema"])
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "path"
    }
    if "id" in given:
        given["id"] = IDS.get(operation["tags"][0], given["id"])
    if "body" in inspect.signature(module.sync_detailed).parameters:
        hints = typing.get_type_hints(module.sync_detailed)["body"]
        [model] = [each for each in typing.get_args(hints) or (hints,) if each is not Unset]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        given["body"] = model.from_dict(sample(body))
    return given


called = accepted = 0
with AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True) as client:
    for tag in pkgutil.iter_modules(api.__path__):
        package = importlib.import_module(f"client.api.{tag.name}")
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"client.api.{tag.name}.{found.name}")
            given = arguments(module, OPERATIONS[found.name])
            answer = module.sync_detailed(client=client, **given)
            reads = "body" not in given and set(given) <= {"id"} and "get" in found.name
            if reads and (not given or tag.name in IDS) and answer.status_code != 200:
                sys.exit(f"{found.name}: {answer.status_code} {answer.content!r}")
            called, accepted = called + 1, accepted + (answer.status_code < 300)
if called != len(OPERATIONS):
    sys.exit(f"{len(OPERATIONS)} routes are documented, {called} were generated")
print(f"{called} routes called, {accepted} accepted the call")
