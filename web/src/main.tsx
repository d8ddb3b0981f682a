import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/controls.css";
import "./styles/components.css";
import "./styles/proving.css";
import "./styles/face.css";
import "./styles/account.css";
import "./styles/agent.css";
import { render } from "preact";
import { api, asProblem } from "./api";
import { App } from "./app";
import { I18nProvider, loadMessages, preferredLanguage } from "./i18n";
import { ProblemNotice } from "./ui/problem";

async function start(root: HTMLElement): Promise<void> {
  const lang = preferredLanguage(navigator.languages);
  const configuring = api.config().then(
    (config) => ({ config, problem: null }),
    (thrown: unknown) => ({ config: null, problem: asProblem(thrown) }),
  );
  const messages = await loadMessages(lang);
  const { config, problem } = await configuring;
  render(
    <I18nProvider lang={lang} messages={messages}>
      {problem === null ? <App config={config} /> : (
        <main class="page"><ProblemNotice problem={problem} onRetry={() => { location.reload(); }} /></main>
      )}
    </I18nProvider>,
    root,
  );
}

const root = document.getElementById("app");
if (root !== null) void start(root);
