/** The menu: read from a file or changed in a table, tried, published, and taken back. */

import { clock } from "./dom.js";
import { html, nothing } from "./lit-html.js";
import { BLANK, difference } from "./menu-draft.js";
import { hoursView, tableView } from "./menu-table.js";
import { ask } from "./session.js";
import { texts } from "./texts.js";

const TRIAL_ORDERS = 20;

export class MenuPage {
  #host;
  #published = null;
  #version = 0;
  #trial = null;
  #versions = [];
  #draft = null;
  #onTrial = false;
  #says = "";
  #preview = null;

  /** `host`: `changed()` draws again, `attempt(change)` and `say(text)` as in `owner.js`. */
  constructor(host) {
    this.#host = host;
  }

  async load() {
    const [now, { versions }] = await Promise.all([currentMenu(), ask("v1/menu/versions")]);
    const untouched = this.#draft === null || this.#draft === this.#published;
    this.#published = now?.menu ?? null;
    this.#version = now?.version ?? 0;
    this.#trial = now?.trial ?? null;
    this.#versions = versions;
    if (untouched) this.#draft = this.#published ?? BLANK;
  }

  view() {
    if (this.#draft === null) return nothing;
    return html`
      ${this.#stateView()}
      <div class="columns">
        <section class="menu-table" aria-labelledby="table-title">
          <h2 id="table-title">${texts.owner.menu.table}</h2>
          ${this.#generalView()}
          ${tableView(this.#draft, (draft) => this.#take(draft), (item, out) => this.#sellOut(item, out))}
        </section>
        <div class="side">
          ${this.#previewView()} ${hoursView(this.#draft, (draft) => this.#take(draft))} ${this.#versionsView()}
        </div>
      </div>
    `;
  }

  #take(draft) {
    this.#draft = draft;
    this.#host.changed();
  }

  #stateView() {
    const words = texts.owner.menu;
    const edited = this.#draft !== this.#published;
    const differing = this.#published && edited ? difference(this.#published, this.#draft) : null;
    const latest = this.#versions[0];
    return html`<section class="state" aria-label=${words.state}>
      <div>
        <h2>${this.#draft.name || words.unnamed}</h2>
        <p class="muted">
          ${latest ? words.published(this.#version, day(latest.published_at), latest.published_by) : words.none}
          ${this.#trial && this.#trial.left > 0 ? words.trialLeft(this.#trial.left, this.#trial.orders) : nothing}
        </p>
        ${differing ? html`<p role="status">${words.differing(differing)}</p>` : nothing}
      </div>
      <div class="actions">
        <label class="button">
          ${words.upload}
          <input type="file" class="visually-hidden" accept=".csv,.json,text/csv,application/json" @change=${(event) => this.#upload(event)}>
        </label>
        <button type="button" class="button" @click=${() => this.#download()}>${words.download}</button>
        ${edited
          ? html`<button type="button" class="button" @click=${() => this.#take(this.#published ?? BLANK)}>${words.discard}</button>`
          : nothing}
        <label class="check">
          <input type="checkbox" .checked=${this.#onTrial} @change=${(event) => (this.#onTrial = event.target.checked)}>
          <span>${words.trial(TRIAL_ORDERS)}</span>
        </label>
        <button type="button" class="button primary" ?disabled=${!edited} @click=${() => this.#publish()}>${words.publish}</button>
      </div>
    </section>`;
  }

  #generalView() {
    const words = texts.owner.menu.general;
    const field = (name, size) => html`<label>
      <span>${words[name]}</span>
      <input size=${size} .value=${this.#draft[name]} @change=${(event) => this.#take({ ...this.#draft, [name]: event.target.value.trim() })}>
    </label>`;
    return html`<div class="general">
      ${field("name", 24)} ${field("currency", 4)} ${field("tax_rate", 7)} ${field("time_zone", 20)} ${field("language", 5)}
    </div>`;
  }

  #previewView() {
    const words = texts.owner.menu;
    const attempt = (event) => {
      event.preventDefault();
      void this.#host.attempt(() => this.#tryOut());
    };
    return html`<section aria-labelledby="preview-title">
      <h2 id="preview-title">${words.preview}</h2>
      <p class="muted">${words.previewMore}</p>
      <form @submit=${attempt}>
        <label>
          <span>${words.says}</span>
          <textarea rows="3" placeholder=${words.example} .value=${this.#says} @input=${(event) => (this.#says = event.target.value)}></textarea>
        </label>
        <button type="submit" class="button primary">${words.try}</button>
      </form>
      <ul class="understood">${(this.#preview?.understood ?? []).map(understoodView)}</ul>
      ${this.#preview ? this.#namesView() : nothing}
    </section>`;
  }

  #namesView() {
    const named = new Map(this.#draft.items.map(({ id, name }) => [id, name]));
    return html`<details>
      <summary>${texts.owner.menu.names}</summary>
      <ul class="spoken">
        ${this.#preview.names.map(({ id, names }) => html`<li><strong>${named.get(id) ?? id}</strong> ${names.join(", ")}</li>`)}
      </ul>
    </details>`;
  }

  #versionsView() {
    const words = texts.owner.menu;
    return html`<section aria-labelledby="versions-title">
      <h2 id="versions-title">${words.versions}</h2>
      <p class="muted">${words.versionsMore}</p>
      <ol class="versions">
        ${this.#versions.map(
          (one, i) => html`<li>
            <div>
              <strong>${words.version(one.version)}</strong>
              <span class="muted">${words.versionText(one, day(one.published_at))}</span>
            </div>
            ${i === 0
              ? html`<span class="badge">${words.inUse}</span>`
              : html`<button type="button" class="button small" aria-label=${words.restoreOf(one.version)} @click=${() => this.#restore(one)}>${words.restore}</button>`}
          </li>`,
        )}
      </ol>
    </section>`;
  }

  async #upload(event) {
    const [file] = event.target.files;
    event.target.value = "";
    if (file === undefined) return;
    const text = await file.text();
    await this.#host.attempt(async () => {
      this.#draft = (await ask("v1/menu/check", { method: "POST", body: { text } })).menu;
      this.#host.say(texts.owner.menu.uploaded(this.#draft.items.length));
    });
  }

  #download() {
    return this.#host.attempt(async () => {
      const body = { text: JSON.stringify(this.#draft) };
      const { csv } = await ask("v1/menu/check", { method: "POST", body });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
      link.download = "menu.csv";
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }

  #publish() {
    const query = this.#onTrial ? `?trial_orders=${TRIAL_ORDERS}` : "";
    return this.#host.attempt(async () => {
      const { version } = await ask(`v1/menu${query}`, { method: "PUT", body: this.#draft });
      this.#draft = null;
      await this.load();
      this.#host.say(texts.owner.menu.done(version));
    });
  }

  #restore({ version }) {
    return this.#host.attempt(async () => {
      const body = { version: this.#version };
      await ask(`v1/menu/versions/${version}/restore`, { method: "POST", body });
      this.#draft = null;
      await this.load();
      this.#host.say(texts.owner.menu.restored(version));
    });
  }

  /** Sold out counts at once: it is no part of what is published. */
  #sellOut(item, out) {
    return this.#host.attempt(async () => {
      const known = this.#published?.items.some(({ id }) => id === item.id);
      const set = (menu) => ({
        ...menu,
        items: menu.items.map((one) => (one.id === item.id ? { ...one, sold_out: out } : one)),
      });
      const untouched = this.#draft === this.#published;
      if (known) {
        const body = { sold_out: out };
        const path = `v1/menu/items/${encodeURIComponent(item.id)}`;
        this.#version = (await ask(path, { method: "PATCH", body })).version;
        this.#published = set(this.#published);
      }
      this.#draft = untouched ? this.#published : set(this.#draft);
    });
  }

  async #tryOut() {
    const says = this.#says.split("\n").map((line) => line.trim()).filter(Boolean).slice(0, 20);
    // Checked first: its faults are named as those of a file are.
    const { menu } = await ask("v1/menu/check", { method: "POST", body: { text: JSON.stringify(this.#draft) } });
    this.#preview = await ask("v1/menu/preview", { method: "POST", body: { says, menu } });
  }
}

/** Returns the menu in use with its version and trial, or null if there is none. */
export async function currentMenu() {
  try {
    return await ask("v1/menu");
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

function understoodView({ text, status, lines, reasons }) {
  return html`<li data-status=${status}>
    <p class="said">“${text}”</p>
    <ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>
    ${reasons.map(
      (reason) => html`<p class="muted">
        ${texts.reason[reason.code] ?? reason.code}${reason.text ? ` (${reason.text})` : nothing}
        ${reason.question ? html`<q>${reason.question}</q>` : nothing}
      </p>`,
    )}
  </li>`;
}

function day(time) {
  return `${new Date(time).toLocaleDateString()} ${clock(time)}`;
}
