// Elements that stay the same ones from step to step: only text that has changed is written, so that focus, selection
// and a screen reader's place are kept.

/** Reads one property: what a column shows, a key. */
export const by = (name) => (one) => one[name];

export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'className') made.className = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Children by key, in this order: those that are there already are updated, not made anew. */
export function keyed(parent, items, { key, make, update }) {
  const known = parent.weirKeyed ?? new Map();
  const next = new Map();
  let place = parent.firstChild;
  for (const item of items) {
    const id = key(item);
    const node = known.get(id) ?? make(item);
    next.set(id, node);
    update(node, item);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  for (const [id, node] of known) if (!next.has(id)) node.remove();
  parent.weirKeyed = next;
}

/**
 * A table whose columns are `{ title, of, number?, sort?, mark? }`; `of` gives a cell's text. With `sort` the title is a
 * button.
 */
export class Table {
  #table;
  #columns;
  #key;
  #empty;
  #body = element('tbody');
  #rows = [];
  #by;
  #down = false;

  constructor(table, { columns, key, empty }) {
    this.#table = table;
    this.#columns = columns;
    this.#key = key;
    this.#empty = empty;
    const row = element('tr');
    for (const column of columns) row.append(this.#heading(column));
    table.append(element('thead', {}, row), this.#body);
    // A table that is wider than the page scrolls by itself, also by keys.
    const label = table.closest('.panel')?.querySelector('h3')?.textContent ?? 'Table';
    const scroll = element('section', { className: 'scroll', tabindex: '0', 'aria-label': label });
    table.replaceWith(scroll);
    scroll.append(table);
  }

  show(rows) {
    this.#rows = rows;
    const shown = this.#sorted(rows);
    const items = shown.length === 0 ? [{ none: true }] : shown;
    keyed(this.#body, items, {
      key: (row) => (row.none ? ' none' : this.#key(row)),
      make: (row) => (row.none ? this.#none() : this.#row(row)),
      update: (node, row) => {
        if (!row.none) this.#update(node, row);
      },
    });
  }

  #heading(column) {
    const cell = element('th', { scope: 'col', ...(column.number ? { className: 'number' } : {}) });
    if (column.sort === undefined) {
      cell.append(column.title);
      return cell;
    }
    const button = element('button', { type: 'button', className: 'sort' }, column.title);
    button.addEventListener('click', () => {
      this.#down = this.#by === column ? !this.#down : column.number === true;
      this.#by = column;
      for (const one of this.#table.querySelectorAll('th')) one.removeAttribute('aria-sort');
      cell.setAttribute('aria-sort', this.#down ? 'descending' : 'ascending');
      this.show(this.#rows);
    });
    cell.append(button);
    return cell;
  }

  #row() {
    const row = element('tr');
    for (const [place, column] of this.#columns.entries()) {
      const cell = place === 0 ? element('th', { scope: 'row' }) : element('td');
      if (column.number) cell.className = 'number';
      row.append(cell);
    }
    return row;
  }

  #none() {
    return element(
      'tr',
      {},
      element('td', { colspan: String(this.#columns.length), className: 'none' }, this.#empty),
    );
  }

  #update(node, row) {
    for (const [place, column] of this.#columns.entries()) {
      const cell = node.children[place];
      if (column.node !== undefined) column.node(cell, row);
      else setText(cell, column.of(row));
      const mark = column.mark?.(row) ?? '';
      if ((cell.dataset.mark ?? '') !== mark) cell.dataset.mark = mark;
    }
  }

  #sorted(rows) {
    if (this.#by === undefined) return rows;
    const { sort } = this.#by;
    const order = this.#down ? -1 : 1;
    return rows.toSorted((a, b) => {
      const [x, y] = [sort(a), sort(b)];
      if (typeof x === 'string') return order * x.localeCompare(y, 'en', { numeric: true });
      return order * ((x ?? -1) - (y ?? -1));
    });
  }
}
