// Drain a shard, rebalance now: a dialog that asks for the token, tells what will happen, and asks once more.
import { byId, setText } from './parts.js';

const dialog = byId('act');
const token = byId('act-token');
const go = byId('act-go');

let request;
let confirm;
let over = false;

/** Opens the dialog for an action. */
export function ask(title, action) {
  request = action;
  confirm = undefined;
  over = false;
  setText(byId('act-title'), title);
  setText(byId('act-text'), 'You will be asked once more before anything happens.');
  setText(go, 'Go on');
  setText(byId('act-cancel'), 'Cancel');
  go.hidden = false;
  byId('act-token-label').hidden = false;
  dialog.showModal();
  (token.value === '' ? token : go).focus();
}

async function send(body) {
  const response = await fetch('api/act', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token.value}` },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  return {
    ok: response.ok,
    text: answer.text ?? `The console answered ${response.status}.`,
    confirm: answer.confirm,
  };
}

async function step() {
  if (over || token.value === '') return token.focus();
  go.disabled = true;
  try {
    const answer = await send(confirm === undefined ? request : { confirm });
    setText(byId('act-text'), answer.text);
    confirm = answer.confirm;
    if (!answer.ok) {
      setText(go, 'Try again');
      confirm = undefined;
    } else if (confirm !== undefined) {
      setText(go, 'Yes, do it');
      byId('act-token-label').hidden = true;
    } else {
      over = true;
      go.hidden = true;
      setText(byId('act-cancel'), 'Close');
      byId('act-cancel').focus();
    }
  } catch {
    setText(byId('act-text'), 'The console does not answer.');
  } finally {
    go.disabled = false;
  }
}

go.addEventListener('click', () => void step());
token.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  void step();
});
