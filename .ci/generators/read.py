"""Calls every route that only reads, with the client that openapi-python-client has generated.

    python read.py FOLDER URL TOKEN ORDER TABLE

Exits with 1 if one does not answer as the document says.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys

folder, url, token, order, table = sys.argv[1:]
sys.path.insert(0, folder)
from client import AuthenticatedClient, api  # noqa: E402  it has just been generated

ids = {"orders": order, "tables": table}
called = 0
with AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True) as client:
    for tag in pkgutil.iter_modules(api.__path__):
        package = importlib.import_module(f"client.api.{tag.name}")
        for operation in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"client.api.{tag.name}.{operation.name}")
            parameters = inspect.signature(module.sync_detailed).parameters
            reads = "get" in inspect.getsource(module._get_kwargs) and "body" not in parameters
            needs = {p.name for p in parameters.values() if p.default is p.empty} - {"client"}
            if not reads or not needs <= {"id"} or (needs and tag.name not in ids):
                continue
            given = {"id": ids[tag.name]} if needs else {}
            answer = module.sync_detailed(client=client, **given)
            if answer.status_code != 200:
                sys.exit(f"{operation.name}: {answer.status_code} {answer.content!r}")
            called += 1
print(f"{called} routes called")
