/** The words of the pages: in the language of this screen, or at a kiosk in the guest's. */

import english from "./texts.en.js";
import spanish from "./texts.es.js";

const LANGUAGE = "voice-ordering.staff-language";
const CATALOGUES = { en: english, es: spanish };

/** The languages there are, each by its own name. */
export const LANGUAGES = { en: "English", es: "Español" };

/** The language chosen for this screen, or else the first of the browser's that there is. */
export let language = [localStorage.getItem(LANGUAGE), ...navigator.languages.map(base)].find(
  (tag) => tag in CATALOGUES,
) ?? "en";

/** What to say, by name. */
export let texts = CATALOGUES[language];

/** Speaks a guest's language (a tag such as "es-MX", or several) from now on, if it is known here. */
export function speak(tags) {
  const known = tags.split(",").map((tag) => base(tag.trim())).find((tag) => tag in CATALOGUES);
  language = known ?? "en";
  texts = CATALOGUES[language];
}

/** Chooses the language of this screen. The page must be loaded again. */
export function chooseLanguage(tag) {
  localStorage.setItem(LANGUAGE, tag);
}

/** Fills the elements of the page that name a text, such as `data-text="signIn.title"`. */
export function fillTexts(root) {
  document.documentElement.lang = language;
  for (const node of root.querySelectorAll("[data-text]")) node.textContent = named(node.dataset.text);
  for (const node of root.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", named(node.dataset.label));
  }
}

function named(path) {
  return path.split(".").reduce((group, name) => group[name], texts);
}

function base(tag) {
  return tag.split("-")[0];
}
