// Chat: an answer's words are one stop of the keyboard; the arrow keys go from word to word. It talks to nobody.
(() => {
  document.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const word = event.target;
    if (!step || !word.matches?.('#chat-bot .word')) return;
    const words = [...word.closest('.answer').querySelectorAll('.word')];
    const next = words[words.indexOf(word) + step];
    if (!next) return;
    event.preventDefault();
    word.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
})();
