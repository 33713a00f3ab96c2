// The checks of a lab as they tick: how many are done stands on their fold, and what is new is said.

import { announce } from "../dom.js";

const said = new WeakMap(); // lab element -> the announcement that was said last

export function showState(lab) {
  const checks = lab.querySelector("[data-lab-checks]");
  if (!checks) return;
  const { done, total, announcement } = checks.dataset;
  const score = lab.querySelector("[data-lab-score]");
  if (score && score.textContent !== `${done}/${total}`) score.textContent = `${done}/${total}`;
  if (said.has(lab) && said.get(lab) !== announcement) announce(announcement);
  said.set(lab, announcement);
}
