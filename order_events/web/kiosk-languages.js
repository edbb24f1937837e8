/** Which languages a kiosk offers its guests. */

/** The ISO 639 code of a BCP 47 tag. */
export function codeOf(tag) {
  return tag.split("-")[0].toLowerCase();
}

/**
 * The tags to offer: those that the server can take orders in and this page has words for. `heard` are
 * the server's codes, null if they are not known; `configured` is the kiosk's own tag, and `written` has the
 * codes of this page's languages. A language that the server does not know is never among them.
 */
export function offered(heard, configured, written) {
  const own = codeOf(configured);
  const codes = (heard ?? [own]).filter((code) => code in written);
  return codes.map((code) => (code === own ? configured : code));
}

/** The tag with which the next guest begins: the kiosk's own if it is offered, else the first. */
export function first(tags, configured) {
  return tags.find((tag) => codeOf(tag) === codeOf(configured)) ?? tags[0] ?? configured;
}
