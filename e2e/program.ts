// Starts the real program for one test, on free ports and with a data folder of
// its own, and leaves nothing behind.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

/** The program under test; IPSE_BIN names another one. */
export const binary = process.env["IPSE_BIN"] ?? path.resolve(import.meta.dirname, "..", "bin", "ipse");

/** The same server with a clock that a test moves; `make e2e` builds it. */
const clocked = path.resolve(import.meta.dirname, "..", "bin", "clocked");

interface DemoService {
  name: string;
  url: string;
}

/** Whether a port of this machine is free. */
async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => { resolve(false); });
    server.listen(port, "127.0.0.1", () => { server.close(() => { resolve(true); }); });
  });
}

/** The first of three free ports in a row: the server's and those of its two services. */
async function freePorts(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if ((await isFree(port)) && (await isFree(port + 1)) && (await isFree(port + 2))) return port;
  }
  throw new Error("no three free ports in a row");
}

interface Options {
  /** demo: everything at once. serve: the server alone, which trusts the certificates of a folder. */
  trust?: string;
  /** The demonstration with a clock that pass moves (e2e/clocked). */
  clock?: boolean;
}

/** A reader far away, and the way to take it away. */
export interface Reader {
  stop: () => Promise<void>;
}

/** Runs a command of the program to its end and returns what it printed; a failure is an error. */
export async function command(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(binary, args, { timeout: 60_000 });
  return stdout;
}

/** One running server: `ipse demo`, or `ipse serve` where a trust folder is given. */
export class Program {
  readonly data: string;
  readonly port: number;
  readonly #options: Options;
  #services: DemoService[] = [];
  #child: ChildProcess | null = null;
  readonly #readers = new Set<Reader>();
  #said = "";
  #logged = "";

  private constructor(data: string, port: number, options: Options) {
    this.data = data;
    this.port = port;
    this.#options = options;
  }

  static async start(options: Options = {}): Promise<Program> {
    const file = options.clock === true ? clocked : binary;
    if (!existsSync(file)) throw new Error(`${file} is missing: run make build, or make e2e`);
    const program = new Program(await mkdtemp(path.join(tmpdir(), "ipse-e2e-")), await freePorts(), options);
    try {
      await program.run();
    } catch (error) {
      await program.remove();
      throw error;
    }
    return program;
  }

  get url(): string {
    return `http://localhost:${String(this.port)}`;
  }

  /** The configuration file of a server that is not the demonstration. */
  get config(): string {
    return path.join(this.data, "ipse.toml");
  }

  /** The address of the demo service of that name, or of its counter, as the program printed it. */
  service(name: string): string {
    const found = this.#services.find((s) => s.name === name);
    if (found === undefined) throw new Error(`no demo service ${name} in:\n${this.#said}`);
    return found.url;
  }

  /** What it wrote to standard error. */
  get log(): string {
    return this.#logged;
  }

  /** Resident memory in MB, as the kernel counts it; only where there is a /proc. */
  async resident(): Promise<number> {
    const status = await readFile(`/proc/${String(this.#child?.pid)}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1000;
  }

  async #arguments(): Promise<string[]> {
    const address = `127.0.0.1:${String(this.port)}`;
    if (this.#options.clock === true) return [address, this.data];
    if (this.#options.trust === undefined) return ["demo", "--addr", address, "--data", this.data, "--log"];
    await writeFile(this.config, [
      `[server]`, `address = "${address}"`, `public_url = "${this.url}"`, `data = "${path.join(this.data, "data")}"`,
      `[operator]`, `name = "Utopia Digital Agency"`, `contact = "privacy@agency.example"`,
      `[trust]`, `sources = ["${this.#options.trust}"]`, "",
    ].join("\n"));
    return ["serve", "--config", this.config];
  }

  async #isReady(): Promise<boolean> {
    if (this.#options.trust === undefined && !this.#said.includes("Ctrl-C")) return false;
    return fetch(`${this.url}/readyz`).then((r) => r.ok, () => false);
  }

  /** Runs it, again if need be, on the same ports and data; returns when it answers. */
  async run(): Promise<void> {
    this.#said = "";
    const clock = this.#options.clock === true;
    const child = spawn(clock ? clocked : binary, await this.#arguments(), { stdio: [clock ? "pipe" : "ignore", "pipe", "pipe"] });
    this.#child = child;
    if (child.stdout === null || child.stderr === null) throw new Error("no pipes");
    child.stdout.on("data", (chunk: Buffer) => { this.#said += chunk.toString(); });
    child.stderr.on("data", (chunk: Buffer) => { this.#logged += chunk.toString(); });
    const until = Date.now() + 60_000;
    while (!(await this.#isReady())) {
      if (child.exitCode !== null) throw new Error(`the program ended with ${String(child.exitCode)}:\n${this.#logged}`);
      if (Date.now() > until) throw new Error(`the program did not become ready:\n${this.#said}\n${this.#logged}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    this.#services = [...this.#said.matchAll(/^ +(\S.*?) +(https?:\/\/\S+)$/gm)]
      .map(([, name, url]) => ({ name: name ?? "", url: url ?? "" }))
      .filter(({ url }) => !url.startsWith(this.url) || url.includes("/agent"));
  }

  /** Moves the server's clock ahead, for instance by "31m"; only where the options ask for a clock. */
  async pass(duration: string): Promise<void> {
    const child = this.#child;
    if (child?.stdin == null || child.stdout === null) throw new Error("this server's clock cannot be moved");
    const answer = once(child.stdout, "data");
    child.stdin.write(`${duration}\n`);
    await answer;
  }

  /** Lays a specimen on a reader far away, which is the program too; ends with stop. */
  lendReader(code: string, specimen: string): Reader {
    const child = spawn(binary, ["passport", "relay", "--server", this.url, "--code", code, "--reader", `specimen:${specimen}`], { stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise<void>((resolve) => child.once("exit", () => { resolve(); }));
    child.stderr.on("data", (chunk: Buffer) => { this.#logged += `relay: ${chunk.toString()}`; });
    const reader: Reader = {
      stop: async () => {
        this.#readers.delete(reader);
        child.kill("SIGINT");
        await ended;
      },
    };
    this.#readers.add(reader);
    return reader;
  }

  /** Stops it as an interrupt does and waits; a program that does not stop fails the test. */
  async stop(signal: "SIGINT" | "SIGKILL" = "SIGINT"): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => { resolve(); }));
    child.kill(signal);
    const late = setTimeout(() => { child.kill("SIGKILL"); }, 15_000);
    await ended;
    clearTimeout(late);
    if (signal === "SIGINT" && child.signalCode === "SIGKILL") throw new Error("the program did not stop within 15 s");
  }

  async remove(): Promise<void> {
    try {
      for (const reader of [...this.#readers]) await reader.stop();
      await this.stop();
    } finally {
      await rm(this.data, { recursive: true, force: true });
    }
  }
}
