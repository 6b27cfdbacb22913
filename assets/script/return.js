// Coming back: a conversation is kept by the browser for as long as its tab is open, so that a reload brings it back;
// and a link's query is handed to the server. It talks to nobody but this page's own server.
(() => {
  const DAY = 86400000;
  const LINK = ['example', 'model'];
  const tab = () => {
    let name = sessionStorage.getItem('blip2-tab');
    if (!name) {
      name = [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join('');
      sessionStorage.setItem('blip2-tab', name);
    }
    return name;
  };

  // One record a tab: the conversation's text, its picture's file, and when it was kept.
  const store = (mode, work) => new Promise((resolve, reject) => {
    const opening = indexedDB.open('blip2-studio', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('visits');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const change = database.transaction('visits', mode);
      const asked = work(change.objectStore('visits'));
      change.oncomplete = () => { database.close(); resolve(asked?.result); };
      change.onerror = change.onabort = () => { database.close(); reject(change.error); };
    };
  });
  const recall = () => store('readonly', (visits) => visits.get(tab()));
  const forget = () => store('readwrite', (visits) => { visits.delete(tab()); });
  const forgetOld = () => store('readwrite', (visits) => {
    const walk = visits.openCursor();
    walk.onsuccess = () => {
      const at = walk.result;
      if (!at) return;
      if (Date.now() - at.value.when > DAY) at.delete();
      at.continue();
    };
  });
  const quietly = async (work) => {
    try { return await work(); } catch (error) { return undefined; }  // a browser that keeps nothing is no failure
  };

  let kept = null;  // the record read on arrival
  window.blip2Arrive = async () => {
    const query = new URLSearchParams(location.search);
    const linked = LINK.some((name) => query.has(name));
    await quietly(forgetOld);
    kept = linked ? null : (await quietly(recall)) ?? null;
    if (linked) {
      const asked = location.search;
      const rest = new URLSearchParams([...query].filter(([name]) => name.startsWith('__')));
      history.replaceState(null, '', location.pathname + (rest.size ? `?${rest}` : '') + location.hash);
      return { query: asked };
    }
    return kept ? { text: kept.text, whose: kept.whose } : {};
  };
  window.blip2Hand = (told) => {
    if (told?.hand && kept) window.blip2Picture('chat-image', new File([kept.picture], kept.name, { type: kept.picture.type }));
    else if (kept) quietly(forget);
    kept = null;
  };

  // What is kept follows the order in which it was said, however long a picture takes to fetch.
  let turn = Promise.resolve();
  window.blip2Keep = (told) => {
    turn = turn.then(() => quietly(async () => {
      if (!told) return forget();
      const before = await recall();
      let picture = before?.digest === told.digest ? before.picture : null;
      if (!picture) {
        const source = document.querySelector('#chat-image img')?.src;
        if (!source) return forget();
        picture = await (await fetch(source)).blob();
      }
      const name = told.name || 'picture.png';
      return store('readwrite', (visits) => { visits.put({ ...told, name, picture, when: Date.now() }, tab()); });
    }));
  };

  window.blip2Copy = async (link) => {
    if (!link?.query) return;
    const address = location.origin + location.pathname + link.query;
    try { await navigator.clipboard.writeText(address); } catch (error) { window.prompt('Copy this link:', address); }
  };
})();
