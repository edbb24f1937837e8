/** Pairs this screen: with a code that a manager reads out, or by a link or QR code that has it. */

import { $, setText } from "./dom.js";
import { Refusal, address, ask, keepScreen, keepToken, takeFragment } from "./session.js";
import { fillTexts, texts } from "./texts.js";

fillTexts(document);
document.title = texts.pair.title;
$("pair").addEventListener("submit", (event) => {
  event.preventDefault();
  pair($("code").value);
});
const code = takeFragment().get("code");
if (code) pair(code);
else $("code").focus();

async function pair(given) {
  $("problem").hidden = true;
  try {
    const body = { code: given.trim() };
    const screen = await ask("v1/pairings/claim", { method: "POST", body, as: null });
    keepToken(null);
    keepScreen(screen);
    location.replace(screen.role === "device" ? address("web/microphone.html") : address(""));
  } catch (error) {
    setText($("problem"), error instanceof Refusal ? `${error.message}.` : texts.unreachable);
    $("problem").hidden = false;
    $("code").select();
  }
}
