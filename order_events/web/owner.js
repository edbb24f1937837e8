/** The owner's page: the menu, what guests said in vain, and figures. */

import { $, el } from "./dom.js";
import { html, nothing, render } from "./lit-html.js";
import { MenuPage } from "./owner-menu.js";
import { FiguresPage } from "./owner-figures.js";
import { PhrasesPage } from "./owner-phrases.js";
import { Refusal, address, takeFragment } from "./session.js";
import { fillTexts, texts } from "./texts.js";

const TOAST_MS = 6_000;

takeFragment();
fillTexts(document);
document.title = texts.owner.title;

let shown = "menu";
let problem = null;
const host = { changed: draw, attempt, say };
const pages = { menu: new MenuPage(host), phrases: new PhrasesPage(host), figures: new FiguresPage(host) };
void open("menu");

function draw() {
  render(
    html`
      <header>
        <h1>${texts.owner.title}</h1>
        <nav class="tabs" aria-label=${texts.owner.title}>
          ${Object.keys(pages).map(
            (name) => html`<button type="button" aria-current=${name === shown ? "page" : nothing} @click=${() => open(name)}>
              ${texts.owner.tab[name]}
            </button>`,
          )}
        </nav>
        <a class="button" href=${address("web/manage.html").href}>${texts.manage.title}</a>
        <a class="button" href=${address("").href}>${texts.manage.back}</a>
      </header>
      ${problem === null
        ? nothing
        : html`<div class="problem" role="alert">${problem.split("\n").map((line) => html`<p>${line}</p>`)}</div>`}
      ${pages[shown].view()}
    `,
    $("owner"),
  );
}

function open(name) {
  shown = name;
  return attempt(() => pages[name].load());
}

/** Does something at the server; resolves to whether that worked. What did not is said on top. */
async function attempt(change) {
  problem = null;
  let done = false;
  try {
    await change();
    done = true;
  } catch (error) {
    if (!(error instanceof Refusal)) problem = texts.unreachable;
    else if (error.status === 401 || error.status === 403) problem = texts.manage.managersOnly;
    else problem = error.message;
  }
  draw();
  if (problem !== null) scrollTo({ top: 0 });
  return done;
}

function say(text) {
  const toast = el("p", { class: "toast" }, text);
  $("toasts").append(toast);
  setTimeout(() => toast.remove(), TOAST_MS);
}
