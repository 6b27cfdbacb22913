// Keys: Enter begins, Esc stops, twice in haste is once, and the keyboard stays where a button gives way to another.
// It talks to nobody.
(() => {
  const seen = (selector) => [...document.querySelectorAll(selector)].find((each) => each.offsetParent !== null && !each.disabled);
  const PAIRS = [
    ['#caption-go', '#caption-stop'], ['#caption-run', '#caption-cancel'], ['#caption-again', '#caption-cancel'],
    ['#match-go', '#match-stop'], ['#search-run', '#search-stop'], ['#search-extend', '#search-stop'],
    ['#search-scenes', '#search-stop'], ['#models-check', '#models-stop'],
  ];
  const STARTS = [...PAIRS.map(([go]) => go), '.submit-button', '.chip', '#chat-bot [aria-label=Retry]', '#compare-again'].join(', ');
  const STOPS = [...PAIRS.map(([, stop]) => stop), '#chat-box .stop-button', '#compare-box .stop-button'].join(', ');
  const ENTERS = { '#caption-prompt': '#caption-go, #caption-run', '#match-template': '#match-go', '#search-name': '#search-keep' };

  // A double click is one click: its second half would meet Stop where Send was, or take back what the first half did.
  // So is a second Enter in haste, when nothing was typed since, and one held down.
  const ONCE = `${STARTS}, ${STOPS}, #chat-look, #compare-vote-buttons button`;
  const HASTE = 500; // milliseconds
  const BOXES = '#chat-box, #compare-box';
  let entered = -HASTE;
  let typed = true;
  const ignore = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };
  document.addEventListener('click', (event) => {
    if (event.detail > 1 && event.target.closest?.(ONCE)) ignore(event);
  }, true);
  document.addEventListener('input', (event) => { typed ||= !!event.target.closest?.(BOXES); }, true);
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || !event.target.closest?.(BOXES)) return;
    const again = event.timeStamp - entered < HASTE && !(typed && event.target.value);
    if (event.repeat || again) { ignore(event); return; }
    entered = event.timeStamp;
    typed = false;
  }, true);

  // Esc stops. The server says when a Stop button is shown; pressed after a start and before that, Esc is kept for it.
  const COMING = 10000; // milliseconds that a start may take to show its Stop button
  let begun = -COMING;
  let owed = false;
  const begin = () => { begun = performance.now(); owed = false; };
  const coming = () => performance.now() - begun < COMING;
  const stop = () => {
    const button = seen(STOPS);
    owed = !button && coming();
    button?.click();
  };
  const pay = () => { if (owed && coming() && seen(STOPS)) stop(); };
  document.addEventListener('click', (event) => {
    if (event.target.closest?.(STARTS)) begin();
    else if (event.target.closest?.(STOPS)) begun = -COMING;
  }, true);

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !document.querySelector('ul[role=listbox], #chat-file > button.open')) stop();
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    if (event.target.closest?.(BOXES)) begin();
    const field = Object.keys(ENTERS).find((each) => event.target.closest?.(each));
    if (field) { event.preventDefault(); seen(ENTERS[field])?.click(); }
  }, true);

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
  const watch = () => new MutationObserver(() => requestAnimationFrame(() => { follow(); pay(); })).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['class', 'disabled'] });
  if (document.body) watch(); else document.addEventListener('DOMContentLoaded', watch);
})();
