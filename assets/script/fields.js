// Fields: what gradio's file fields and frames leave open. It loads nothing and talks to nobody.
(() => {
  const KINDS = { 'takes-pictures': 'image/*,.zip', 'takes-indexes': '.index' };
  const set = (element, name, value) => {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  };

  // What the browser offers first, and names for screen readers; a drawing in a button has none of its own.
  const label = () => {
    Object.entries(KINDS).forEach(([kind, accept]) => {
      document.querySelectorAll(`.${kind} input[type=file]`).forEach((input) => set(input, 'accept', accept));
    });
    document.querySelectorAll('button[aria-label="common.upload"]').forEach((button) => set(button, 'aria-label', 'Add files'));
    document.querySelectorAll('.file-preview .label-clear-button').forEach((button) => {
      const name = button.closest('tr')?.querySelector('.filename')?.getAttribute('aria-label') ?? 'this file';
      set(button, 'aria-label', `Remove ${name}`);
    });
    document.querySelectorAll('.image-frame').forEach((frame) => {
      const button = frame.closest('button');
      if (button) set(button, 'aria-label', frame.querySelector('img')?.alt || 'The picture');
    });
    document.querySelectorAll('svg:not([aria-hidden]):not([aria-label]):not([role])').forEach((drawing) => set(drawing, 'aria-hidden', 'true'));
  };
  let due = false;
  const soon = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; label(); });
  };
  const watch = () => new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  if (document.body) watch(); else document.addEventListener('DOMContentLoaded', watch);

  // A frame takes files of every kind: gradio covers it with a red word where one is no picture; the server says why.
  const FRAMES = '#chat-image, .picture-frame';
  const isPicture = (file) => file.type.startsWith('image/');
  const passed = (file) => (isPicture(file) ? file : new File([file], file.name, { type: 'image/unknown' }));
  document.addEventListener('change', (event) => {
    const input = event.target;
    if (input.type !== 'file' || !input.closest(FRAMES) || [...input.files].every(isPicture)) return;
    const files = new DataTransfer();
    [...input.files].forEach((file) => files.items.add(passed(file)));
    input.files = files.files;
  }, true);
  document.addEventListener('drop', (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length || !event.target.closest?.(FRAMES)) return;
    Object.defineProperty(event, 'dataTransfer', { value: { files: files.map(passed) } });
  }, true);
})();
