/** The operator's page: is the server well, and how much has it to do? From `/metrics` and `/readyz`. */

import { $, clock, typed } from "./dom.js";
import { html, nothing, render } from "./lit-html.js";
import { growth, growthBy, quantile, samplesOf, sum } from "./metrics-model.js";
import { address } from "./session.js";
import { fillTexts, texts } from "./texts.js";

const TOKEN = "voice-ordering.metrics-token";
const EVERY_MS = 5_000;
/** Rates and latencies are those of so many readings: five minutes. */
const READINGS = 60;
const TIMEOUT_MS = 10_000;
const GIGA = 1e9;

fillTexts(document);
document.title = texts.operator.title;

let readings = [];
let ready = null;
let problem = null;
let asking = false;
void read();

async function read() {
  problem = null;
  try {
    const token = sessionStorage.getItem(TOKEN);
    const [metrics, readiness] = await Promise.all([
      get("metrics", token ? { Authorization: `Bearer ${token}` } : {}),
      get("readyz", {}),
    ]);
    asking = metrics.status === 401;
    if (asking && token) problem = texts.operator.wrong;
    if (asking) sessionStorage.removeItem(TOKEN);
    else if (!metrics.ok) problem = texts.operator.failed(metrics.status);
    else readings = [...readings, { at: Date.now(), samples: samplesOf(await metrics.text()) }].slice(-READINGS);
    ready = await readiness.json();
  } catch {
    problem = texts.unreachable;
  }
  draw();
  if (!asking) setTimeout(read, EVERY_MS);
}

function get(path, headers) {
  return fetch(address(path), { headers, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
}

function draw() {
  const words = texts.operator;
  render(
    html`
      <header>
        <h1>${words.title}</h1>
        ${readings.length > 0 ? html`<p class="muted">${words.asOf(clock(readings.at(-1).at))}</p>` : nothing}
      </header>
      ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
      ${asking ? tokenView() : nothing}
      ${!asking && readings.length > 0 ? figuresView(readings[0], readings.at(-1)) : nothing}
    `,
    $("operator"),
  );
}

function tokenView() {
  const submit = (event) => {
    event.preventDefault();
    sessionStorage.setItem(TOKEN, typed(event.target, "token"));
    void read();
  };
  return html`<form class="signin-card" @submit=${submit}>
    <label for="token">${texts.operator.token}</label>
    <input id="token" name="token" type="password" required autocomplete="off" spellcheck="false">
    <p class="help">${texts.operator.tokenMore}</p>
    <button class="button primary" type="submit">${texts.operator.show}</button>
  </form>`;
}

function figuresView({ at: from, samples: first }, { at, samples }) {
  const words = texts.operator;
  // Of one reading alone, what the server has seen since its start.
  const before = at === from ? [] : first;
  const minutes = Math.max((at - from) / 60_000, EVERY_MS / 60_000);
  const perMinute = (name, fits) => rate(growth(first, samples, name, fits), minutes);
  const seconds = (name, share) => time(quantile(before, samples, name, share));
  const latency = (name) => [seconds(name, 0.5), seconds(name, 0.9)].join(" / ");
  const sessions = sum(samples, "voice_sessions");
  const capacity = sum(samples, "voice_sessions_capacity");
  const disk = sum(samples, "order_events_disk_free_bytes");
  /** @param {Record<string, string>} labels */
  const failing = ({ status }) => status?.startsWith("5");
  return html`
    ${readyView()}
    <div class="tiles">
      ${sessions === null ? nothing : tileView(words.sessions, words.of(sessions, capacity), sessions >= capacity)}
      ${tileView(words.screens, String(sum(samples, "order_events_connections") ?? 0))}
      ${sessions === null ? nothing : tileView(words.final, latency("voice_final_latency_seconds"))}
      ${tileView(words.http, latency("order_events_http_request_seconds"))}
      ${tileView(words.commit, latency("order_events_commit_seconds"))}
      ${tileView(words.events, perMinute("order_events_published_total"))}
      ${tileView(words.failing, perMinute("order_events_http_request_seconds_count", failing), growth(first, samples, "order_events_http_request_seconds_count", failing) > 0)}
      ${tileView(words.refused, perMinute("order_events_auth_failures_total"))}
      ${tileView(words.queue, String(sum(samples, "order_events_store_queue") ?? 0))}
      ${tileView(words.disk, disk === null ? "–" : `${(disk / GIGA).toFixed(1)} GB`, disk !== null && disk < GIGA)}
    </div>
    ${errorsView(growthBy(before, samples, "order_events_errors_total", "code"))}
  `;
}

function readyView() {
  const words = texts.operator;
  if (ready === null) return nothing;
  const troubles = [...ready.reasons, ...(ready.degraded ?? [])];
  return html`<section class="ready" data-ready=${String(ready.ready)} role="status">
    <strong>${ready.ready ? words.ready : words.notReady}</strong>
    ${troubles.length > 0 ? html`<ul>${troubles.map((why) => html`<li>${why}</li>`)}</ul>` : nothing}
  </section>`;
}

function tileView(name, value, bad = false) {
  return html`<dl class="tile" ?data-bad=${bad}><dt>${name}</dt><dd>${value}</dd></dl>`;
}

function errorsView(errors) {
  const words = texts.operator;
  return html`<section aria-labelledby="errors">
    <h2 id="errors">${words.errors}</h2>
    ${errors.length === 0 ? html`<p class="muted">${words.noErrors}</p>` : nothing}
    <ul class="errors">${errors.map(([code, count]) => html`<li><code>${code}</code> ${count}</li>`)}</ul>
  </section>`;
}

/** A counter without samples has counted nothing yet. */
function rate(grown, minutes) {
  const each = (grown ?? 0) / minutes;
  return each.toFixed(each < 10 ? 1 : 0);
}

function time(value) {
  if (value === null) return "–";
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`;
}
