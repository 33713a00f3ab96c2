// Answers that arrive after the page has changed under them. htmx looks for what an answer brings along (hx-swap-oob)
// only in the tree of the element that asked: once that was swapped away, in a tree that nobody sees.

export function keepSwapsInThePage() {
  // An element that is gone tells the document of nothing: it is followed while it still asks.
  document.addEventListener("htmx:beforeRequest", ({ detail }) => detail.elt.addEventListener("htmx:beforeOnLoad", dropForNobody));
  document.addEventListener("htmx:beforeSwap", putFromThePage);
}

/** Its place is gone: something newer stands there. */
function dropForNobody(event) {
  if (!event.detail.target.isConnected) event.preventDefault();
}

/** Its place is there, but not the button that was pressed: an answer to a press is never lost. */
function putFromThePage(event) {
  const { requestConfig, target, serverResponse, shouldSwap, swapOverride } = event.detail;
  const asker = requestConfig.elt;
  if (asker.isConnected || !target.isConnected || !shouldSwap) return;
  event.preventDefault();
  const swapStyle = swapOverride ?? asker.getAttribute("hx-swap") ?? "innerHTML";
  window.htmx.swap(target, serverResponse, { swapStyle, swapDelay: 0, settleDelay: 0 }, { contextElement: target });
}
