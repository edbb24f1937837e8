from __future__ import annotations

import pytest
from support.conversations import demo_menu

from voice_service.ordering import CompiledMenu


@pytest.fixture(scope="session")
def demo() -> CompiledMenu:
    """The demo restaurant's menu."""
    return demo_menu()
