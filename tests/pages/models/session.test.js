import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const stored = new Map();
const storage = {
  getItem: (name) => stored.get(name) ?? null,
  setItem: (name, value) => stored.set(name, value),
  removeItem: (name) => stored.delete(name),
};
Object.assign(globalThis, { localStorage: storage, sessionStorage: storage });
const { keepScreen, pairedScreen, token } = await import("../../../order_events/web/session.js");

const SCREEN = { device_id: "d", credential: "d.old", role: "kitchen", name: "Grill", lane: null };

/** Lets the server answer as `answer(credential)` says: a token, or null for 401. */
function serve(answer) {
  globalThis.fetch = async (_url, { body }) => {
    const given = answer(JSON.parse(body).credential);
    return given === null
      ? Response.json({ error: { code: "UNAUTHORIZED", message: "not paired" } }, { status: 401 })
      : Response.json({ expires_at: new Date(Date.now() + 900_000).toISOString(), ...given });
  };
}

beforeEach(() => keepScreen(SCREEN));

test("a credential that another tab has just renewed does not sign this one out", async () => {
  serve((credential) => {
    if (credential === "d.new") return { token: "fresh" };
    stored.set("voice-ordering.screen", JSON.stringify({ ...SCREEN, credential: "d.new" }));
    return null;
  });
  assert.equal(await token(), "fresh");
  assert.equal(pairedScreen().credential, "d.new");
});

test("a new credential is kept, and a token is used until shortly before its end", async () => {
  let asked = 0;
  serve(() => ({ token: `t${(asked += 1)}`, credential: "d.new" }));
  assert.deepEqual([await token(), await token(), asked], ["t1", "t1", 1]);
  assert.equal(pairedScreen().credential, "d.new");
});

test("a screen that was removed forgets that it was paired", async () => {
  serve(() => null);
  assert.equal(await token(), null);
  assert.equal(pairedScreen(), null);
});
