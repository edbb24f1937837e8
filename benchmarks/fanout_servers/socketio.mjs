// Socket.IO's broadcast, `io.emit`, over its websocket transport alone.
// node socketio.mjs [--compress]; POST /publish broadcasts its body.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { Server } = createRequire(process.cwd() + '/')('socket.io');
const server = createServer((request, response) => {
  if (!request.url.startsWith('/publish')) return;
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    io.emit('event', JSON.parse(Buffer.concat(parts).toString()));
    response.writeHead(204).end();
  });
});
const io = new Server(server, {
  transports: ['websocket'],
  // No heartbeat while it is measured: nobody is charged for one.
  pingInterval: 600_000,
  // By default messages under 1,024 bytes are not compressed.
  perMessageDeflate: process.argv.includes('--compress') ? { threshold: 200 } : false,
});
// Publishers keep their connections however long they have nothing to say.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', 4096, () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});
