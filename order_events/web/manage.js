/** The manager's page: screens are paired and removed, staff added and removed. */

import { $, clock, typed } from "./dom.js";
import { html, nothing, render } from "./lit-html.js";
import { Refusal, address, ask, takeFragment } from "./session.js";
import { fillTexts, texts } from "./texts.js";

const SCREEN_ROLES = ["kitchen", "device", "server", "cashier", "manager"];
const STAFF_ROLES = ["server", "cashier", "kitchen", "manager"];

const state = { devices: [], staff: [], pairing: null, removing: null, problem: null };

takeFragment();
fillTexts(document);
document.title = texts.manage.title;
void load();

/** Does something at the server, then shows how things are there. */
async function load(change = null) {
  state.problem = null;
  try {
    await change?.();
    const [devices, staff] = await Promise.all([ask("v1/devices"), ask("v1/staff")]);
    Object.assign(state, { devices: devices.devices, staff: staff.staff, removing: null });
  } catch (error) {
    state.problem = error instanceof Refusal ? explain(error) : texts.unreachable;
  }
  draw();
}

function explain({ status, message }) {
  return status === 401 || status === 403 ? texts.manage.managersOnly : `${message}.`;
}

function draw() {
  render(
    html`
      <header>
        <h1>${texts.manage.title}</h1>
        <a class="button" href=${address("web/owner.html").href}>${texts.owner.title}</a>
        <a class="button" href=${address("").href}>${texts.manage.back}</a>
      </header>
      ${state.problem ? html`<p class="problem" role="alert">${state.problem}</p>` : nothing}
      <section aria-labelledby="screens">
        <h2 id="screens">${texts.manage.screens}</h2>
        <p class="muted">${texts.manage.screensMore}</p>
        ${pairForm()} ${state.pairing ? pairingView(state.pairing) : nothing}
        <ul>
          ${state.devices.map((device) => rowView("devices", device, deviceText(device)))}
        </ul>
      </section>
      <section aria-labelledby="staff">
        <h2 id="staff">${texts.manage.staff}</h2>
        <p class="muted">${texts.manage.staffMore}</p>
        ${staffForm()}
        <ul>
          ${state.staff.map((person) => rowView("staff", person, texts.role[person.role]))}
        </ul>
      </section>
    `,
    $("manage"),
  );
}

function pairForm() {
  const pair = (event) => {
    event.preventDefault();
    const lane = typed(event.target, "lane");
    const body = {
      role: typed(event.target, "role"),
      name: typed(event.target, "name"),
      address: address("").href,
      ...(lane ? { lane } : {}),
    };
    event.target.reset();
    void load(async () => {
      state.pairing = { ...(await ask("v1/pairings", { method: "POST", body })), name: body.name };
    });
  };
  return html`<form @submit=${pair}>
    ${field(texts.manage.name, html`<input name="name" required maxlength="60" autocomplete="off">`)}
    ${field(texts.manage.use, roleSelect(SCREEN_ROLES))}
    ${field(texts.manage.lane, html`<input name="lane" maxlength="100" autocomplete="off">`)}
    <button class="button primary" type="submit">${texts.manage.pair}</button>
  </form>`;
}

function pairingView({ code, url, qr, expires_at, name }) {
  return html`<div class="pairing" role="status">
    <img src=${qr} alt=${texts.manage.qr} width="200" height="200">
    <div>
      <p>${texts.manage.enter(name)}</p>
      <p class="address">${url.split("#")[0]}</p>
      <p class="code">${code}</p>
      <p class="muted">${texts.manage.until(clock(expires_at))}</p>
      <button type="button" class="button" @click=${() => load(() => (state.pairing = null))}>${texts.manage.done}</button>
    </div>
  </div>`;
}

function staffForm() {
  const add = (event) => {
    event.preventDefault();
    const [name, role, pin] = ["name", "role", "pin"].map((field) => typed(event.target, field));
    const body = { name, role, pin };
    event.target.reset();
    void load(() => ask("v1/staff", { method: "POST", body }));
  };
  return html`<form @submit=${add}>
    ${field(texts.manage.name, html`<input name="name" required maxlength="60" autocomplete="off">`)}
    ${field(texts.manage.use, roleSelect(STAFF_ROLES))}
    ${field(
      texts.manage.pin,
      html`<input name="pin" type="password" inputmode="numeric" pattern="[0-9]{4,8}" required maxlength="8" autocomplete="off" title=${texts.manage.pinMore}>`,
    )}
    <button class="button primary" type="submit">${texts.manage.add}</button>
  </form>`;
}

function field(label, input) {
  return html`<label><span>${label}</span>${input}</label>`;
}

function roleSelect(roles) {
  return html`<select name="role">
    ${roles.map((role) => html`<option value=${role}>${texts.role[role]}</option>`)}
  </select>`;
}

function deviceText({ role, lane, seen_at }) {
  const seen = seen_at ? texts.manage.seen(clock(seen_at)) : texts.manage.unseen;
  return [texts.role[role], lane, seen].filter(Boolean).join(" · ");
}

/** A screen or a person, and the button that removes it, which has to be pressed twice. */
function rowView(kind, { id, name }, about) {
  const asked = state.removing === id;
  const remove = () => {
    if (asked) {
      void load(() => ask(`v1/${kind}/${encodeURIComponent(id)}`, { method: "DELETE" }));
      return;
    }
    state.removing = id;
    draw();
  };
  return html`<li>
    <strong>${name}</strong><span class="muted">${about}</span>
    <button type="button" class="button small" aria-label=${texts.manage.removeOf(name)} @click=${remove}>
      ${asked ? texts.manage.really : texts.manage.remove}
    </button>
  </li>`;
}
