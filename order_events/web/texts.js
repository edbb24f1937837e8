/** The words of the staff page, in the language of this screen. */

import english from "./texts.en.js";
import spanish from "./texts.es.js";

const LANGUAGE = "voice-ordering.staff-language";
const CATALOGUES = { en: english, es: spanish };

/** The languages there are, each by its own name. */
export const LANGUAGES = { en: "English", es: "Español" };

/** The language chosen for this screen, or else the first of the browser's that there is. */
export const language = [localStorage.getItem(LANGUAGE), ...navigator.languages.map(base)].find(
  (tag) => tag in CATALOGUES,
) ?? "en";

/** What to say, by name. */
export const texts = CATALOGUES[language];

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
