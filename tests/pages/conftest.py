"""A hub in the test's own process, and a browser, both shared by all tests of the staff page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.paths import ROOT
from support.screens import Screens, browsing
from support.shop import Shop, open_shop

RECORDING = ROOT / "fixtures" / "audio" / "demo.wav"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """Run a hub."""
    async with open_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def open_screens(running_shop: Shop) -> AsyncIterator[Screens]:
    """Run a browser."""
    async with browsing(RECORDING) as browser:
        yield Screens(browser, running_shop)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(running_shop: Shop, request: pytest.FixtureRequest) -> Shop:
    """A restaurant of the test's own."""
    await running_shop.opens(f"shop-{abs(hash(request.node.name)) % 10**8}")
    return running_shop


@pytest_asyncio.fixture(loop_scope="session")
async def pages(open_screens: Screens) -> AsyncIterator[Screens]:
    """Opens pages; none may have misbehaved."""
    yield open_screens
    await open_screens.close()
    faults, open_screens.faults = open_screens.faults, []
    assert faults == []
