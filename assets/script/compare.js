// Compare: what gradio's components leave open. It loads nothing and talks to nobody.
(() => {
  const one = (selector) => document.querySelector(selector);
  const seen = (element) => !!element && element.offsetParent !== null;
  const set = (element, name, value) => {
    if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
  };

  // Names for screen readers, and which vote is pressed.
  const label = () => {
    set(one('#compare-box .submit-button'), 'aria-label', 'Send');
    set(one('#compare-box .stop-button'), 'aria-label', 'Stop both');
    document.querySelectorAll('#compare-vote-buttons button').forEach((button) => {
      set(button, 'aria-pressed', String(button.classList.contains('primary')));
    });
    set(one('#compare-rounds'), 'role', 'region');
    set(one('#compare-rounds'), 'aria-label', 'Questions and both answers');
    set(one('#compare-rounds'), 'tabindex', '0');
  };

  // A new round is brought into view; a growing one stays in view for who was at its end.
  let rounds = 0;
  let atEnd = true;
  const follow = () => {
    const log = one('#compare-rounds');
    if (!seen(log)) return;
    const count = log.querySelectorAll('.round').length;
    if (count > rounds || atEnd) {
      log.scrollTop = log.scrollHeight;
      if (count > rounds && log.scrollHeight <= log.clientHeight) log.querySelector('.round:last-child')?.scrollIntoView({ block: 'nearest' });
    }
    rounds = count;
  };
  document.addEventListener('scroll', (event) => {
    if (event.target.id === 'compare-rounds') atEnd = event.target.scrollTop + event.target.clientHeight > event.target.scrollHeight - 40;
  }, true);

  // The rounds are written anew with every piece of an answer; facts that were unfolded stay so.
  const open = new Set();
  const place = (facts) => {
    const round = facts.closest('.round');
    return `${[...round.parentElement.children].indexOf(round)} ${facts.closest('.side').getAttribute('aria-label').split(':')[0]}`;
  };
  const unfold = () => {
    const all = document.querySelectorAll('#compare-rounds .facts');
    if (!document.querySelector('#compare-rounds .round')) open.clear();
    all.forEach((facts) => { if (!facts.open && open.has(place(facts))) facts.open = true; });
  };
  document.addEventListener('click', (event) => {
    const facts = event.target.closest?.('#compare-rounds .facts');
    if (!facts || !event.target.closest('summary')) return;
    if (facts.open) open.delete(place(facts)); else open.add(place(facts));
  });

  let due = false;
  const soon = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; label(); unfold(); follow(); });
  };
  const watch = () => new MutationObserver(soon).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['class'] });
  if (document.body) watch(); else document.addEventListener('DOMContentLoaded', watch);
})();
