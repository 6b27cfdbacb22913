// Where a word matched: the map of the chosen word is laid over the picture.
document.addEventListener('change', (event) => {
  const heat = event.target.matches?.('.match-words input') ? event.target.dataset.heat : null;
  if (heat) document.querySelector('.match-heat .over').src = heat;
});
