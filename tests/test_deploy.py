"""The examples of deployment set what there is to set. `make lint` checks them as such."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from voice_service.settings import VoiceSettings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_variable_is_a_setting(path: Path) -> None:
    """A misspelt one would be ignored in silence."""
    settings = {f"VOICE_{name.upper()}" for name in VoiceSettings.model_fields}
    assert set(re.findall(r"\bVOICE_[A-Z_]+", path.read_text(encoding="utf-8"))) <= settings


def test_what_compose_asks_for_is_in_the_example_of_its_environment() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    given = set(re.findall(r"^(\w+)=", (DEPLOY / "example.env").read_text("utf-8"), re.MULTILINE))
    assert asked == given


def test_a_node_has_the_time_to_drain() -> None:
    """Longer than its settings say, and `preStop` counts too."""
    drain = 12 + VoiceSettings.model_fields["close_timeout_s"].default
    for name in ("hub", "voice"):
        documents = yaml.safe_load_all((DEPLOY / f"kubernetes/{name}.yaml").read_text("utf-8"))
        pod = next(documents)["spec"]["template"]["spec"]
        [container] = pod["containers"]
        before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert {"name": "VOICE_SHUTDOWN_GRACE_S", "value": "12"} in container["env"]
        assert pod["terminationGracePeriodSeconds"] > before + drain
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    for name in ("hub-1", "hub-2", "voice-1", "voice-2"):
        service = compose["services"][name]
        assert service["environment"]["VOICE_SHUTDOWN_GRACE_S"] == "12"
        assert int(service["stop_grace_period"].removesuffix("s")) > drain
