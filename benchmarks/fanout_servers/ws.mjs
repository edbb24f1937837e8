// The broadcast of ws's README: every client's `send`, with a Buffer that is made once per event.
// node ws.mjs [--compress]; POST /publish broadcasts its body.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { WebSocketServer, WebSocket } = createRequire(process.cwd() + '/')('ws');
const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    for (const client of sockets.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(body, { binary: false });
    }
    response.writeHead(204).end();
  });
});
const sockets = new WebSocketServer({
  server,
  perMessageDeflate: process.argv.includes('--compress'),
});
// Publishers keep their connections however long they have nothing to say.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', 4096, () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});
