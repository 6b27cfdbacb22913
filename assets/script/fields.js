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
    requestAnimationFrame(() => { due = false; label(); complain(); });
  };
  const watch = () => new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  if (document.body) watch(); else document.addEventListener('DOMContentLoaded', watch);

  // What is wrong with a file before the server has it, said under its field.
  const FIELDS = '#chat-image, .picture-frame, .file-drop';
  let last = null;
  const say = (field, text) => {
    unsay(field);
    const line = document.createElement('div');
    line.className = 'notice upload-said';
    line.append(Object.assign(document.createElement('p'), { className: 'failed', role: 'alert', textContent: text }));
    field.after(line);
  };
  const unsay = (field) => { if (field.nextElementSibling?.matches('.upload-said')) field.nextElementSibling.remove(); };
  const size = (bytes) => `${Math.round(bytes / 1e5) / 10} MB`;

  // A frame takes files of every kind: gradio covers it with a red word where one is no picture; the server says why.
  const isPicture = (file) => file.type.startsWith('image/');
  const passed = (field, file) => (isPicture(file) || field.matches('.file-drop') ? file : new File([file], file.name, { type: 'image/unknown' }));
  const taken = (field, files) => {
    last = field;
    unsay(field);
    const most = window.gradio_config?.max_file_size ?? Infinity;
    const large = files.find((file) => file.size > most);
    if (large) say(field, `The file '${large.name}' is ${size(large.size)} large and at most ${size(most)} are taken; make it smaller first.`);
    return files.filter((file) => file.size <= most).map((file) => passed(field, file));
  };
  document.addEventListener('change', (event) => {
    const input = event.target;
    const field = input.type === 'file' ? input.closest(FIELDS) : null;
    if (!field) return;
    const files = new DataTransfer();
    taken(field, [...input.files]).forEach((file) => files.items.add(file));
    input.files = files.files;
  }, true);
  document.addEventListener('drop', (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    const field = event.target.closest?.(FIELDS);
    if (files.length && field) Object.defineProperty(event, 'dataTransfer', { value: { files: taken(field, files) } });
  }, true);

  // An upload that the server refuses: gradio shows the answer as it came; its sentence belongs under the field.
  const complain = () => document.querySelectorAll('[data-testid=toast-body]').forEach((toast) => {
    const found = toast.innerText.match(/HTTP \d+: (\{[^]*?\})/);
    if (!found || !last) return;
    try { say(last, JSON.parse(found[1]).detail); } catch { return; }
    toast.querySelector('.toast-close')?.click();
  });
})();
