/** The side of the kiosk beside the talk: the menu, or the order with its total, which is always in sight. */

import { $, setText } from "./dom.js";
import { codeOf } from "./kiosk-languages.js";
import { shelves } from "./kiosk-menu.js";
import { linesView, menuView } from "./kiosk-views.js";
import { nothing, render } from "./lit-html.js";
import { shortNumber, totalsView } from "./order-view.js";
import { texts } from "./texts.js";

/** Longer than this, the lines are read more easily than a sentence of them. In characters. */
const READABLE = 160;
const WITH_MENU = ["ready", "opening", "listening"];

/**
 * Draws it. `kiosk` is `{stage, status, order, menu, menuShown, tag}`; `change(item, quantity)` is called by −
 * and +, `choose(name)` by a tap on the menu.
 */
export function drawPanel({ stage, status, order, menu, menuShown, tag }, { change, choose }) {
  const open = menu !== null && menuShown && WITH_MENU.includes(stage);
  const changeable = stage === "listening" && status !== "needs_staff";
  $("menu").hidden = !open;
  $("order-lines").hidden = open;
  $("side").dataset.shows = open ? "menu" : "order";
  const menuNow = () => menuView(shelves(menu, codeOf(tag)), menu.currency, choose);
  render(open ? menuNow() : nothing, $("menu"));
  const lines = () => (order === null ? texts.kiosk.empty : linesView(order, changeable ? change : null));
  render(open ? nothing : lines(), $("order-lines"));
  render(order === null ? nothing : totalsView(order), $("order-totals"));
  setText($("order-title"), open ? texts.editor.menu : texts.kiosk.yourOrder);
  setText($("order-number"), order === null ? "" : `#${shortNumber(order)}`);
  $("show-menu").hidden = menu === null || stage !== "listening";
  setText($("show-menu"), open ? texts.kiosk.yourOrder : texts.editor.menu);
}

/** Shows the order in words, as it would be read back, if they are few; "" for nothing. */
export function drawReadback(said, status) {
  $("readback").hidden = said === "" || said.length > READABLE;
  $("readback").dataset.status = status;
  setText($("readback"), said);
}
