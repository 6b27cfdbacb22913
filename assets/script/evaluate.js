// Evaluate: a prediction's button hands its id to the page.
document.addEventListener('click', (event) => {
  const button = event.target.closest?.('#evaluate-table [data-prediction]')
    ?? event.target.closest?.('#evaluate-table tbody tr')?.querySelector('[data-prediction]');
  if (!button) return;
  const box = document.querySelector('#evaluate-picked textarea, #evaluate-picked input');
  if (!box) return;
  document.querySelectorAll('#evaluate-table tr[aria-selected]').forEach((row) => row.removeAttribute('aria-selected'));
  button.closest('tr').setAttribute('aria-selected', 'true');
  box.value = button.dataset.prediction;
  box.dispatchEvent(new Event('input', { bubbles: true }));
});
