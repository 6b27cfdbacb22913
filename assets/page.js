// The page's own script: what gradio's components leave open. It loads nothing and talks to nobody.
(() => {
  const chat = () => document.querySelector('#chat-bot');
  let copying = false;

  // Esc stops the answer being written.
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    const stop = document.querySelector('#chat-box .stop-button');
    if (stop) { stop.click(); event.preventDefault(); }
  });

  // A picture pasted anywhere goes into the picture frame.
  document.addEventListener('paste', (event) => {
    const picture = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith('image/'));
    const remove = document.querySelector('#chat-image [aria-label="Clear"], #chat-image [aria-label="Remove Image"]');
    if (!picture) return;
    event.preventDefault();
    event.stopPropagation();
    remove?.click();
    const hand = (tries) => {
      const input = document.querySelector('#chat-image input[type=file]');
      if (!input) { if (tries) setTimeout(() => hand(tries - 1), 50); return; }
      const files = new DataTransfer();
      files.items.add(picture);
      input.files = files.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    };
    hand(20);
  }, true);

  // Messages are markup made by the studio; what is copied or edited is their text.
  const plain = (markup) => {
    const parsed = new DOMParser().parseFromString(markup, 'text/html').body;
    return (parsed.querySelector('.answer') ?? parsed).textContent;
  };
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
})();
