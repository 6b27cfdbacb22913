// Keys: Enter begins, Esc stops, and the keyboard stays where a button gives way to another. It talks to nobody.
(() => {
  const seen = (selector) => [...document.querySelectorAll(selector)].find((each) => each.offsetParent !== null && !each.disabled);
  const PAIRS = [
    ['#caption-go', '#caption-stop'], ['#caption-run', '#caption-cancel'], ['#caption-again', '#caption-cancel'],
    ['#match-go', '#match-stop'], ['#search-run', '#search-stop'], ['#search-extend', '#search-stop'],
    ['#search-scenes', '#search-stop'], ['#models-check', '#models-stop'],
  ];
  const STOPS = PAIRS.map(([, stop]) => stop).join(', ');
  const ENTERS = { '#caption-prompt': '#caption-go, #caption-run', '#match-template': '#match-go', '#search-name': '#search-keep' };

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !document.querySelector('ul[role=listbox]')) seen(STOPS)?.click();
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    const field = Object.keys(ENTERS).find((each) => event.target.closest?.(each));
    if (field) { event.preventDefault(); seen(ENTERS[field])?.click(); }
  });

  // A button that was pressed by keyboard and hides takes the focus along: to Stop, and back.
  let held = [];
  document.addEventListener('focusin', (event) => {
    const pair = PAIRS.find((each) => each.some((selector) => event.target.closest?.(selector)));
    if (pair) held = held.length && held.some((each) => event.target.closest(each)) ? held : pair;
    else held = [];
  });
  document.addEventListener('pointerdown', () => { held = []; });
  const follow = () => {
    const at = document.activeElement;
    if (held.length && (!at || at === document.body)) seen(held.join(', '))?.focus();
  };
  const watch = () => new MutationObserver(() => requestAnimationFrame(follow)).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['class', 'disabled'] });
  if (document.body) watch(); else document.addEventListener('DOMContentLoaded', watch);
})();
