"""Settings: their defaults, the environment, and values that are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from order_events.settings import HubSettings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`VOICE_` and the name, except the log level; the defaults are the protocol's."""
    for name, value in {
        "VOICE_PORT": "4000",
        "VOICE_ALLOWED_ORIGINS": "https://a.example/,https://b.example",
        "LOG_LEVEL": "debug",
        "VOICE_REGULAR_PER_MINUTE": "7",
    }.items():
        monkeypatch.setenv(name, value)
    settings = HubSettings()
    assert (settings.port, settings.log_level, settings.regular_per_minute) == (4000, "debug", 7)
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    fields = HubSettings.model_fields
    assert all(field.description for field in fields.values())
    defaults = {
        "heartbeat_s": 30,
        "voice_per_minute": 1000,
        "max_message_bytes": 65_536,
        "max_subscriptions": 10,
        "auth_timeout_s": 10,
        "kds_per_second": 4,
        "live_per_second": 5,
        "port": 3001,
        "host": "127.0.0.1",
    }
    assert {name: fields[name].default for name in defaults} == defaults
    monkeypatch.setenv("VOICE_PORT", "99999")
    with pytest.raises(ValidationError):
        HubSettings()


def test_a_wrong_proxy_is_refused_at_the_start() -> None:
    """A typo must not make anybody trusted."""
    with pytest.raises(ValueError, match="trusted_proxies"):
        HubSettings(trusted_proxies="10.0.0.0/8, proxy.example")
