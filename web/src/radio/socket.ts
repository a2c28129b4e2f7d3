import type { Socket, SocketEvents } from './link';

const SUBPROTOCOL = 'tenfour.v1';

/** Opens the radio socket of the server this page came from. */
export function openSocket(events: SocketEvents): Socket {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}/api/v1/radio`, SUBPROTOCOL);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => events.opened();
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') events.text(data);
    else events.binary(data as ArrayBuffer);
  };
  socket.onclose = ({ code }) => events.closed(code);
  return {
    send: (data) => socket.send(data),
    close: () => socket.close(),
  };
}
