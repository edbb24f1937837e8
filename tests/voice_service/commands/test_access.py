"""The command `link`."""

from __future__ import annotations

from pathlib import Path

import pytest

from order_events.auth.roles import Role
from order_events.screens.tokens import screen_tokens
from order_events.settings import HubSettings
from voice_service.cli import main


def test_a_link_is_one_that_the_server_with_this_data_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the page, and pairs the first manager's screen."""
    options = ["--restaurant", "demo", "--data-dir", str(tmp_path), "--address", "https://a.shop/"]
    assert main(["link", *options]) == 0
    page, _, code = capsys.readouterr().out.strip().partition("#code=")
    assert page == "https://a.shop/web/pair.html"
    link = screen_tokens(HubSettings(data_dir=tmp_path)).read_link(code)
    assert link is not None
    assert (link.restaurant_id, link.role, link.name) == ("demo", Role.MANAGER, "First screen")
    other = screen_tokens(HubSettings(data_dir=tmp_path / "other"))
    assert other.read_link(code) is None
    assert main(["link", *options, "--ttl", "0"]) == 1
