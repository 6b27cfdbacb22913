// Tabs: the open one stands in the address, so that a reload and a link open it again and Back goes to the one before.
(() => {
  const all = () => [...document.querySelectorAll('#tabs > .tab-wrapper [role=tab], #tabs > .tab-wrapper .overflow-dropdown button')];
  const name = (tab) => tab.dataset.tabId ?? tab.textContent.trim().toLowerCase();
  const open = () => all().find((tab) => tab.getAttribute('aria-selected') === 'true');
  let first = '';
  const wanted = () => location.hash.slice(1) || first;
  const turn = () => {
    const now = open();
    const found = all().find((tab) => name(tab) === wanted());
    if (found && now && found !== now) found.click();
  };
  const tell = () => {
    const now = open();
    if (now && name(now) !== wanted()) history.pushState(history.state, '', `#${name(now)}`);
  };
  const begin = () => {
    first = name(open());
    turn();
    new MutationObserver(tell).observe(document.querySelector('#tabs > .tab-wrapper'), { subtree: true, attributes: true, attributeFilter: ['aria-selected'] });
    addEventListener('popstate', turn);
  };
  const watch = () => {
    const waiting = new MutationObserver(() => {
      if (!open()) return;
      waiting.disconnect();
      requestAnimationFrame(begin);
    });
    waiting.observe(document.body, { childList: true, subtree: true });
  };
  if (document.body) watch(); else document.addEventListener('DOMContentLoaded', watch);
})();
