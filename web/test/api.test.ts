import { afterEach, describe, expect, it, vi } from "vitest";
import { api, openFace, Problem } from "../src/api";
import type { FaceMessage } from "../src/types";

afterEach(() => {
  vi.unstubAllGlobals();
});

const answering = (status: number, body: string, type = "application/problem+json") => {
  const fetch = vi.fn<(path: string, init: RequestInit) => Promise<Response>>(() => Promise.resolve(new Response(status === 204 ? null : body, { status, headers: { "Content-Type": type } })));
  vi.stubGlobal("fetch", fetch);
  return fetch;
};
const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof Problem) return thrown.code;
    throw thrown;
  }
  return "none";
};

describe("a call", () => {
  it("sends JSON to this origin and nothing for it to be cached", async () => {
    const fetch = answering(201, '{"state":"consent"}', "application/json");
    await api.startProofing("camera", "fr");
    const [path, init] = fetch.mock.calls[0] ?? ["", {}];
    expect(path).toBe("/api/proofing");
    expect(init).toMatchObject({ method: "POST", credentials: "same-origin", cache: "no-store", redirect: "error", headers: { "Content-Type": "application/json" } });
    expect(init.body).toBe('{"route":"camera","language":"fr"}');
  });

  it("fails with the server's code, or with one for the status", async () => {
    answering(404, '{"code":"no_proofing"}');
    expect(await codeOf(api.proofing())).toBe("no_proofing");
    for (const [status, code] of [[401, "signed_out"], [429, "rate_limited"], [502, "internal"], [503, "unavailable"], [418, "unknown"]] as const) {
      answering(status, "<html>a proxy</html>", "text/html");
      expect(await codeOf(api.account())).toBe(code);
    }
    answering(400, '{"code":7}');
    expect(await codeOf(api.account())).toBe("invalid_request");
  });

  it("fails as network when there is no answer, and as internal when it is no JSON", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("offline")));
    expect(await codeOf(api.config())).toBe("network");
    answering(200, "not json", "application/json");
    expect(await codeOf(api.config())).toBe("internal");
  });

  it("begins nothing where the browser refuses cookies, and says so", async () => {
    const fetch = answering(201, "{}", "application/json");
    vi.stubGlobal("navigator", { cookieEnabled: false });
    expect(await codeOf(api.startProofing("camera", "en"))).toBe("cookies_off");
    expect(fetch).not.toHaveBeenCalled();
  });

  it("keeps identifiers inside their path segment", async () => {
    const fetch = answering(204, "");
    await api.removePasskey("a/../../b?c");
    expect(fetch.mock.calls[0]?.[0]).toBe("/api/account/passkeys/a%2F..%2F..%2Fb%3Fc");
  });
});

class FakeSocket {
  static readonly OPEN = 1;
  static last: FakeSocket;
  readonly sent: unknown[] = [];
  readonly url: string;
  readyState = 1;
  bufferedAmount = 0;
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  constructor(url: URL) {
    this.url = url.href;
    FakeSocket.last = this;
  }
  send(data: unknown) {
    this.sent.push(data);
  }
  close() {
    this.readyState = 3;
    this.onclose?.();
  }
}

describe("the face channel", () => {
  it("starts, then sends each frame behind its capture time in eight bytes", () => {
    vi.stubGlobal("WebSocket", FakeSocket);
    const messages: FaceMessage[] = [];
    const channel = openFace((m) => messages.push(m), () => undefined);
    const socket = FakeSocket.last;
    expect(socket.url).toMatch(/^wss?:\/\/.*\/api\/proofing\/face$/);
    socket.onopen?.();
    expect(socket.sent[0]).toBe('{"type":"start"}');
    expect(channel.sendFrame(1234.6, new Uint8Array([0xff, 0xd8, 0xff]).buffer)).toBe(true);
    expect([...(socket.sent[1] as Uint8Array)]).toEqual([0, 0, 0, 0, 0, 0, 0x04, 0xd3, 0xff, 0xd8, 0xff]);
    socket.onmessage?.({ data: '{"type":"hint","hint":"come_closer"}' });
    expect(messages).toEqual([{ type: "hint", hint: "come_closer" }]);
  });

  it("drops frames while too much waits, and after it has closed", () => {
    vi.stubGlobal("WebSocket", FakeSocket);
    const closed = vi.fn();
    const channel = openFace(() => undefined, closed);
    const socket = FakeSocket.last;
    socket.bufferedAmount = 256 * 1024 + 1;
    expect(channel.sendFrame(1, new ArrayBuffer(3))).toBe(false);
    socket.bufferedAmount = 0;
    socket.onmessage?.({ data: "{ not json" });
    expect(closed).toHaveBeenCalledOnce();
    expect(channel.sendFrame(1, new ArrayBuffer(3))).toBe(false);
    expect(socket.sent).toHaveLength(0);
  });
});
