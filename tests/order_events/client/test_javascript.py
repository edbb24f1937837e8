"""The JavaScript package: packed, installed into an empty project, used against a real server."""

from __future__ import annotations

import asyncio
import gzip
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from support.javascript import NODE, PACKAGE, run, tools
from support.paths import ROOT
from support.reconnecting import abort_all

SIZES = {
    "events": (("socket.js", "events.js"), 5_000),
    "events and voice": (
        ("socket.js", "events.js", "voice.js", "capture.js", "pcm-worklet.js"),
        11_000,
    ),
}
"""What a program loads, and the most bytes that this may have, compressed, with its comments."""
CONSUMER = """
import { connectEvents } from "voice-ordering-client";

const [url, token] = process.argv.slice(2);
const subscribe = { events: ["order:created"] };
const events = connectEvents({ url, token: async () => token, subscribe });
await events.ready;
console.log("ready");
for await (const event of events) console.log(event.data.order.id);
"""
TYPED = """
import { connectEvents, HistoryLost, Refused, type Position } from "voice-ordering-client";
import { VoiceStream } from "voice-ordering-client/voice";
import { streamRecording } from "voice-ordering-client/recordings";
import { openMicrophone } from "voice-ordering-client/microphone";
import { verifyWebhook } from "voice-ordering-client/webhooks";
import { useEvents, useWebSocket } from "voice-ordering-client/react";

export async function follow(stored: Position | null): Promise<Position | null> {
  const events = connectEvents({
    url: "https://orders.example",
    token: async () => "t",
    since: stored,
    subscribe: ({ role }) => ({ events: [role === "kitchen" ? "kds:update" : "*"], batch_ms: 60 }),
  });
  try {
    for await (const event of events) {
      const seq: number | undefined = event.seq;
      if (seq === undefined) continue;
    }
  } catch (error) {
    if (error instanceof HistoryLost) return error.position;
    if (error instanceof Refused) throw new Error(error.code);
  }
  // @ts-expect-error: a position has both parts
  connectEvents({ url: "", token: "", since: { seq: 1 } });
  return events.position;
}

export async function speak(file: Blob): Promise<void> {
  const stream = new VoiceStream(
    { url: new URL("https://orders.example"), token: () => null, lane: "1" },
    { event: (type, data) => console.log(type, data), ended: (answer) => answer.order_id?.length },
  );
  stream.open();
  const chunk = (samples: Int16Array) => stream.push(samples);
  const microphone = await openMicrophone({ chunk, level() {}, lost() {} });
  await microphone.stop();
  await streamRecording(file, { url: "", token: "" }, { event() {} });
}

export async function receive(request: Request): Promise<string> {
  return verifyWebhook("whsec_", request.headers, await request.arrayBuffer());
}

export function Screen(): number {
  const { state, error } = useEvents({
    url: "",
    token: "",
    initial: 0,
    reduce: (count, event) => count + (event.seq ?? 0),
  });
  const onMessage = (message: { type: string }) => console.log(message.type);
  const { send } = useWebSocket({ url: "", token: "", onMessage });
  send({ type: "ping" });
  return error ? 0 : state;
}
"""
STRICT = {
    "compilerOptions": {
        "strict": True,
        "noUncheckedIndexedAccess": True,
        "exactOptionalPropertyTypes": True,
        "noEmit": True,
        "skipLibCheck": False,
        "skipDefaultLibCheck": True,
        "module": "nodenext",
        "target": "es2023",
        "lib": ["es2023", "dom"],
        "types": ["react"],
    },
    "files": ["typed.ts"],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty project into which the package was installed as `npm pack` ships it."""
    installed = tools()
    folder = tmp_path_factory.mktemp("project")
    [packed] = json.loads(
        run("npm", "pack", "--json", "--silent", "--pack-destination", str(folder))
    )
    (folder / "package.json").write_text('{"name": "shop", "type": "module", "private": true}')
    run("npm", "install", "--offline", "--silent", f"./{packed['filename']}", cwd=folder)
    # Types of React, for a project that uses it.
    for name in ("@types", "csstype"):
        (folder / "node_modules" / name).symlink_to(installed / name)
    return folder


def test_the_modules_do_what_they_promise() -> None:
    """Their own tests, with a scripted server in place of the network."""
    tools()
    assert "fail 0" in run("npm", "test", "--silent")


def test_what_is_packed_is_what_the_server_serves(project: Path) -> None:
    """Byte for byte, within its size, and nothing that was not meant to be shipped."""
    [tarball] = project.glob("*.tgz")
    with tarfile.open(tarball) as archive:
        names = {member.name.removeprefix("package/") for member in archive if member.isfile()}
    folders = {name.partition("/")[0] for name in names}
    assert folders == {"lib", "types", "package.json", "react.js", "LICENSE", "README.md"}
    library = project / "node_modules" / "voice-ordering-client" / "lib"
    for module in library.iterdir():
        assert module.read_bytes() == (ROOT / "order_events" / "web" / module.name).read_bytes()
    for name, (modules, most) in SIZES.items():
        size = sum(len(gzip.compress((library / m).read_bytes(), 9)) for m in modules)
        print(f"{name}: {size} bytes")
        assert size <= most, name


def test_its_types_hold_under_the_strictest_settings(project: Path) -> None:
    """A program that uses everything compiles, and one that is wrong does not."""
    (project / "typed.ts").write_text(TYPED)
    (project / "tsconfig.json").write_text(json.dumps(STRICT))
    run("node", str(tools() / "typescript" / "bin" / "tsc"), "-p", ".", cwd=project)


async def test_node_follows_a_real_server_over_a_lost_connection(
    server: Any, project: Path
) -> None:
    """Each order once and in order, in seven lines."""
    (project / "consumer.js").write_text(CONSUMER)
    command = (NODE, "consumer.js", server.url, server.token())
    process = await asyncio.create_subprocess_exec(
        *command, cwd=project, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n"
            made = []
            for _ in range(3):
                made += [await order(server), await order(server)]
                abort_all(server)
                made.append(await order(server))
            seen = [(await process.stdout.readline()).decode().strip() for _ in made]
        assert seen == made
    finally:
        process.kill()
        await process.wait()


async def order(server: Any) -> str:
    """Create an order; return its id."""
    _, answer = await server.call("POST", "/v1/orders", {"items": [{"menu_item_id": "burger"}]})
    id_: str = answer["order"]["id"]
    return id_


def test_the_package_has_the_version_of_the_project() -> None:
    """They are released together."""
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text()
