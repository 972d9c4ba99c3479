// Plain TCP proxies in their own process, one for each target. They can reset all their connections, and can be slow to
// accept: 100 ms a connection, one after the other or in parallel. Plain JavaScript, so it runs unbuilt.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const ACCEPT_MS = 100;
const targets = JSON.parse(process.argv[2]);
const open = new Set();
let accepts = 'at once';
let turn = Promise.resolve();

const wait = () => new Promise((resolve) => setTimeout(resolve, ACCEPT_MS));

function through(near, port) {
  if (near.destroyed) return;
  const far = connect({ port, host: '127.0.0.1', noDelay: true });
  const cut = () => {
    open.delete(cut);
    near.resetAndDestroy();
    far.resetAndDestroy();
  };
  open.add(cut);
  for (const socket of [near, far]) {
    socket.on('error', cut);
    socket.on('close', () => {
      open.delete(cut);
      near.destroy();
      far.destroy();
    });
  }
  near.pipe(far).pipe(near);
}

const ports = [];
for (const port of targets) {
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (near) => {
    near.on('error', () => near.destroy());
    if (accepts === 'at once') through(near, port);
    else if (accepts === 'side by side') wait().then(() => through(near, port));
    else turn = turn.then(wait).then(() => through(near, port));
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  await once(server, 'listening');
  ports.push(server.address().port);
}
process.send({ ports });
process.on('message', (order) => {
  if (order.accepts !== undefined) accepts = order.accepts;
  if (order.cut === true) for (const cut of [...open]) cut();
});
process.on('disconnect', () => process.exit(0));
