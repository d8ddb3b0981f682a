/** Mounts the stand-in server in Vite's own server, for `npm run dev` and `vite preview`; never part of a build. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, Server } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Connect, Plugin } from "vite";
import manifest from "../../face/pack/default/manifest.json" with { type: "json" };
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
  // The networks of the default pack by their hash, as the program serves them.
  host.middlewares.use("/assets/models", (request, response, next) => {
    const network = manifest.networks.find((n) => request.url === `/${n.sha256}.onnx`);
    if (network === undefined) {
      next();
      return;
    }
    readFile(join(import.meta.dirname, "../../face/pack/default", network.file)).then((file) => { response.end(file); }, next);
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
