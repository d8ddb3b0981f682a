/** Mounts the stand-in server in Vite's own server, for `npm run dev` and `vite preview`; never part of a build. */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Connect, Plugin } from "vite";
import { createMock } from "./mock.ts";

interface Host {
  middlewares: Connect.Server;
  httpServer: { on: (event: "upgrade", listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void) => unknown } | Server | null;
}

function mount(host: Host): void {
  const mock = createMock();
  host.middlewares.use((request, response, next) => {
    if (!mock.handles(request.url ?? "")) {
      next();
      return;
    }
    mock.answer(request, response).catch(next);
  });
  host.httpServer?.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url === "/api/proofing/face") mock.face(request, socket, head);
  });
}

export function mockServer(): Plugin {
  return {
    name: "stand-in-server",
    configureServer(server) {
      mount(server);
    },
    configurePreviewServer(server) {
      mount(server);
    },
  };
}
