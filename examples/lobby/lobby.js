// A lobby without a framework and without a build: the script of the SDK defines `Weir`, and each changed key draws one
// element again. Nothing is redrawn as a whole, however many keys there are.
const weir = Weir.connect({ url: 'ws://127.0.0.1:7701', channels: ['lobby'], resume: sessionStorage });
const lobby = weir.channel('lobby');
const find = (id) => document.getElementById(id);

weir.on('status', (status) => {
  find('status').textContent = status;
});

const euros = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR', maximumFractionDigits: 0 });
/** For each kind of key: where it is shown, and as what. */
const kinds = {
  jackpot: { list: find('jackpots'), text: ({ name, amount }) => [name, euros.format(amount)] },
  slot: { list: find('slots'), text: ({ name, players }) => [name, players] },
  table: { list: find('tables'), text: ({ game, players, seats }) => [game, `${players}/${seats}`] },
};
const items = new Map(); // by key

lobby.on('state', ({ set, del }) => {
  for (const [key, value] of set) show(key, value);
  for (const key of del) hide(key);
});

function show(key, value) {
  const [kind, number] = key.split('-');
  if (!(kind in kinds)) return;
  const { list, text } = kinds[kind];
  let item = items.get(key);
  if (item === undefined) {
    item = document.createElement('li');
    item.dataset.key = key;
    item.dataset.number = number;
    item.append(document.createElement('span'), document.createElement('strong'));
    items.set(key, item);
    const next = [...list.children].find((other) => Number(other.dataset.number) > Number(number));
    list.insertBefore(item, next ?? null);
  }
  item.classList.toggle('full', kind === 'table' && value.players >= value.seats);
  text(value).forEach((part, index) => {
    item.children[index].textContent = part;
  });
}

function hide(key) {
  items.get(key)?.remove();
  items.delete(key);
}

// Hits of a jackpot are critical messages: each arrives once and in order, also across a reload of the page, because the
// client keeps its position in sessionStorage (`resume` above). The hits that have arrived are kept there too.
const kept = JSON.parse(sessionStorage.getItem('hits') ?? '[]');
const tell = (line) => {
  const item = document.createElement('li');
  item.textContent = line;
  find('hits').append(item);
};
const keep = (line) => {
  kept.push(line);
  sessionStorage.setItem('hits', JSON.stringify(kept.slice(-50)));
  tell(line);
};
for (const line of kept) tell(line);
lobby.on('critical', ({ data }) =>
  keep(`${data.player} won the ${data.jackpot}: ${euros.format(data.amount)}`),
);
lobby.on('gap', () => keep('some hits are missing here')); // away for longer than the cluster keeps them
