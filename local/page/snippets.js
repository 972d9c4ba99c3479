// The lines to copy: the same message from a shell, from NATS and from programs.
import { element } from '/show.js';

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The field of a message with this key: any text is a key, but only these characters are part of a subject. */
export const keyField = (key) => (/^[\w-]{1,128}$/.test(key) ? 'key' : 'keyText');

/** `message` is what the form has; its data is JSON as it was typed. */
export function snippetsOf({ lane, channel, key, data }, { publisher, nats, router, sdk }) {
  const isState = lane === 'state';
  const isPlain = !isState || keyField(key) === 'key';
  const field = isState ? `"${keyField(key)}":${JSON.stringify(key)},` : '';
  const body = `{"lane":"${lane}","channel":"${channel}",${field}"data":${data}}`;
  const subject = `weir.${lane}.${channel}${isState ? `.${key}` : ''}`;
  const shellKey = isPlain ? key : `--escape-key ${quoted(key)}`;
  const value = `JSON.stringify(${body})`;
  return [
    ['curl', `curl -sS ${publisher}/v1/publish -H 'content-type: application/json' -d ${quoted(body)}`],
    ['CLI', `npx weir-publish ${lane} ${channel}${isState ? ` ${shellKey}` : ''} ${quoted(data)}`],
    ...(isPlain ? [['nats', `nats --server ${nats} pub ${subject} ${quoted(data)}`]] : []),
    [
      'JavaScript',
      `await fetch('${publisher}/v1/publish', { method: 'POST', headers: { 'content-type': 'application/json' }, body: ${value} });`,
    ],
    [
      'Python',
      `import urllib.request as http\nhttp.urlopen(http.Request('${publisher}/v1/publish', ${pythonText(body)}.encode(), {'content-type': 'application/json'}))`,
    ],
    [
      'Listen in JavaScript',
      `import { connect } from '${sdk}';\nconst weir = connect({ url: '${router}', channels: ['${channel}'] });\nweir.channel('${channel}').on('state', () => console.log(weir.channel('${channel}').snapshot));`,
    ],
  ];
}

const pythonText = (text) =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;

export function drawSnippets(root, snippets) {
  root.replaceChildren(
    ...snippets.map(([name, text]) => {
      const copy = element('button', 'quiet', 'Copy');
      copy.type = 'button';
      copy.setAttribute('aria-label', `Copy the ${name} lines`);
      copy.addEventListener('click', () => copyText(text, copy));
      const code = element('pre', '', element('code', '', text));
      code.tabIndex = 0;
      code.setAttribute('role', 'region');
      code.setAttribute('aria-label', name);
      return element('div', 'snippet', element('div', 'over', element('b', '', name), copy), code);
    }),
  );
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Select it';
  }
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 1_500);
}
