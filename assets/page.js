// The page's own script: what gradio's components leave open. It loads nothing and talks to nobody.
(() => {
  const one = (selector) => document.querySelector(selector);
  const chat = () => one('#chat-bot');
  // Messages are markup made by the studio; their text is what is read aloud, copied and edited.
  const plain = (markup) => {
    const body = new DOMParser().parseFromString(markup, 'text/html').body;
    return (body.querySelector('.answer, .thinking') ?? body).textContent;
  };

  // Names for screen readers, where gradio gives none, a number, or raw markup.
  const name = (element, text) => {
    if (element && element.getAttribute('aria-label') !== text) element.setAttribute('aria-label', text);
  };
  const label = () => {
    name(one('#chat-box .submit-button'), 'Send');
    name(one('#chat-box .stop-button'), 'Stop');
    document.querySelectorAll('.example-row .thumbnail-item').forEach((item) => {
      name(item, item.querySelector('img')?.alt ?? 'Example');
      item.title = item.querySelector('img')?.alt ?? '';
    });
    document.querySelectorAll('#chat-bot [data-testid=bot], #chat-bot [data-testid=user]').forEach((message) => {
      const who = message.dataset.testid === 'bot' ? 'Answer' : 'You';
      const text = message.querySelector('.answer') ?? message;
      name(message, `${who}: ${message.querySelector('.thinking') ? '…' : text.textContent}`);
    });
  };
  let due = false;
  const soon = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; label(); unsent(); });
  };
  const watch = () => new MutationObserver(soon).observe(document.body, { childList: true, subtree: true, characterData: true });
  if (document.body) watch(); else document.addEventListener('DOMContentLoaded', watch);

  // Esc closes the file menu.
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') one('#chat-file > button.open')?.click();
  });
  document.addEventListener('click', (event) => {
    const menu = one('#chat-file > button.open');
    const done = event.target.closest?.('#chat-file button[id]')?.id.match(/^chat-(save-|link)/);
    if (menu && (done || !one('#chat-file').contains(event.target))) menu.click();
  });

  // A picture pasted anywhere goes into the picture frame of the tab that is open.
  const frame = () => [...document.querySelectorAll('#chat-image, .picture-frame')].find((each) => each.offsetParent !== null);
  document.addEventListener('paste', (event) => {
    const picture = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith('image/'));
    const id = frame()?.id;
    if (!picture || !id) return;
    event.preventDefault();
    event.stopPropagation();
    window.blip2Picture(id, picture);
  }, true);
  window.blip2Picture = (id, picture) => {
    one(`#${id} :is(button[aria-label="Remove Image"], button[aria-label="Clear"])`)?.click();
    const hand = (tries) => {
      const input = one(`#${id} input[type=file]`);
      if (!input) { if (tries) setTimeout(() => hand(tries - 1), 50); return; }
      const files = new DataTransfer();
      files.items.add(picture);
      input.files = files.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    };
    hand(40);
  };

  // Copy and edit work on the text, not on its markup.
  let copying = false;
  document.addEventListener('click', (event) => { copying = !!chat()?.contains(event.target); }, true);
  if (navigator.clipboard?.writeText) {
    const write = navigator.clipboard.writeText.bind(navigator.clipboard);
    navigator.clipboard.writeText = (text) => write(copying ? plain(text) : text);
  }
  document.addEventListener('focusin', (event) => {
    const area = event.target;
    if (area.tagName !== 'TEXTAREA' || !chat()?.contains(area) || !/&(lt|amp);/.test(area.value)) return;
    area.value = plain(area.value);
    area.dispatchEvent(new Event('input', { bubbles: true }));
  });

  // Unfolded facts are brought into view.
  document.addEventListener('toggle', (event) => {
    if (event.target.open && chat()?.contains(event.target)) event.target.scrollIntoView({ block: 'nearest' });
  }, true);

  // A sent question leaves the box at once, and comes back only if it never reached the server. From then on the box
  // belongs to the visitor.
  let sent = '';
  const fill = (text) => {
    const box = one('#chat-box textarea');
    if (!box) return;
    box.value = text;
    box.dispatchEvent(new Event('input', { bubbles: true }));
  };
  window.blip2Sent = () => {
    sent = one('#chat-box textarea')?.value ?? '';
    fill('');
  };
  const unsent = () => {
    if (sent && one('[data-testid=toast-body]') && !one('#chat-box textarea')?.value) fill(sent);
    if (one('#chat-box .stop-button') || one('[data-testid=toast-body]')) sent = '';
  };

  // A saved conversation: the server's answer becomes a file, without a copy of it on the server's disk.
  window.blip2Save = (file) => {
    if (!file || !file.text) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([file.text], { type: file.type }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
})();
