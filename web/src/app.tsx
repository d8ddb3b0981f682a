import { Component, type ComponentChildren } from "preact";
import { Problem } from "./api";
import { Consent } from "./pages/consent";
import { Counter } from "./pages/counter";
import { Document } from "./pages/document";
import { Continue, NotFound } from "./pages/simple";
import { Passkey } from "./pages/passkey";
import { Recovery } from "./pages/recovery";
import { Result } from "./pages/result";
import { Start } from "./pages/start";
import { usePath } from "./router";
import { ConfigContext } from "./state/config";
import { ProofingProvider } from "./state/proofing";
import type { Config } from "./types";
import { lazy } from "./ui/lazy";
import { ProblemNotice } from "./ui/problem";
import { Shell } from "./ui/shell";

const Face = lazy(() => import("./pages/face").then((m) => m.Face));
const Me = lazy(() => import("./pages/me").then((m) => m.Me));
const Recover = lazy(() => import("./pages/recover").then((m) => m.Recover));
const Agent = lazy(() => import("./agent/agent").then((m) => m.Agent));
const Enrol = lazy(() => import("./agent/enrol").then((m) => m.Enrol));
const Login = lazy(() => import("./pages/login").then((m) => m.Login));

function Pages() {
  const path = usePath().replace(/(.)\/$/, "$1");
  const login = /^\/login\/([A-Za-z0-9_-]{1,128})$/.exec(path)?.[1];
  if (login !== undefined) return <Login key={login} id={login} />;
  switch (path) {
    case "/": return <Start />;
    case "/prove": return <Continue />;
    case "/prove/consent": return <Consent />;
    case "/prove/document": return <Document />;
    case "/prove/face": return <Face />;
    case "/prove/result": return <Result />;
    case "/prove/passkey": return <Passkey />;
    case "/prove/recovery": return <Recovery />;
    case "/counter": return <Counter />;
    case "/agent": return <Agent />;
    case "/agent/enrol": return <Enrol />;
    case "/me": return <Me />;
    case "/recover": return <Recover />;
    default: return <NotFound />;
  }
}

/** Keeps a fault of one page from leaving the person in front of nothing. */
class Boundary extends Component<{ children: ComponentChildren }, { failed: boolean }> {
  override state = { failed: false };

  static override getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return <div class="page"><ProblemNotice problem={new Problem("unknown")} onRetry={() => { location.reload(); }} /></div>;
  }
}

export function App({ config }: { config: Config }) {
  return (
    <ConfigContext.Provider value={config}>
      <ProofingProvider>
        <Shell><Boundary><Pages /></Boundary></Shell>
      </ProofingProvider>
    </ConfigContext.Provider>
  );
}
