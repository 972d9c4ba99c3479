// The lines to copy: the same message from a shell, from NATS and from programs.
import { element } from '/show.js';

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** `message` is what the form has; its data is JSON as it was typed. */
export function snippetsOf({ lane, channel, key, data }, { publisher, nats, router, sdk }) {
  const body = `{"lane":"${lane}","channel":"${channel}",${lane === 'state' ? `"key":"${key}",` : ''}"data":${data}}`;
  const subject = `weir.${lane}.${channel}${lane === 'state' ? `.${key}` : ''}`;
  const value = `JSON.stringify(${body})`;
  return [
    ['curl', `curl -sS ${publisher}/v1/publish -H 'content-type: application/json' -d ${quoted(body)}`],
    ['CLI', `npx weir-publish ${lane} ${channel}${lane === 'state' ? ` ${key}` : ''} ${quoted(data)}`],
    ['nats', `nats --server ${nats} pub ${subject} ${quoted(data)}`],
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
