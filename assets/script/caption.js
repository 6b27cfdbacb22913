// Captions: copying, choosing another one, and boxes that take a caption as it is typed.
(() => {
  const table = () => document.querySelector('#caption-table');
  const boxOf = (row) => table()?.querySelector(`textarea[data-row="${row}"]`);

  // On a narrow screen what comes out is below the settings: it is brought into view.
  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('#caption-go, #caption-run') || !matchMedia('(max-width: 900px)').matches) return;
    document.querySelector('#caption-right').scrollIntoView({ block: 'start' });
  });

  const copied = (button) => {
    const before = button.textContent;
    button.textContent = 'Copied';
    button.disabled = true;
    setTimeout(() => { button.textContent = before; button.disabled = false; }, 1400);
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('#caption-shown [data-copy], #caption-table [data-copy-row], #caption-table [data-use]');
    if (!button) return;
    const { copy, copyRow, use, row } = button.dataset;
    if (use !== undefined) {
      const box = boxOf(row);
      box.value = use;
      box.dispatchEvent(new Event('change', { bubbles: true }));
      box.closest('.edit').classList.add('changed');
      button.closest('details').open = false;
      box.focus();
      return;
    }
    navigator.clipboard.writeText(copy ?? boxOf(copyRow).value).then(() => copied(button));
  });

  // Enter keeps a changed caption, Esc takes the change back.
  document.addEventListener('keydown', (event) => {
    const box = event.target;
    if (box.tagName !== 'TEXTAREA' || !table()?.contains(box)) return;
    if (event.key === 'Escape') box.value = box.defaultValue;
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    box.blur();
  }, true);
  document.addEventListener('change', (event) => {
    if (event.target.matches?.('#caption-table textarea')) event.target.closest('.edit').classList.add('changed');
  }, true);

  // A file made by the server is handed to the browser's downloads.
  window.blip2Download = (file) => {
    const one = Array.isArray(file) ? file[0] : file;
    if (!one?.url) return;
    const link = document.createElement('a');
    link.href = one.url;
    link.download = one.orig_name ?? '';
    link.click();
  };
})();
