/** What stands around every page: name, language, demonstration ribbon, who runs it. */
import type { ComponentChildren } from "preact";
import { languageNames, languages, useI18n } from "../i18n";
import { Link } from "../router";
import { useConfig } from "../state/config";

export function Shell({ children }: { children: ComponentChildren }) {
  const { t, lang, setLang } = useI18n();
  const config = useConfig();
  const { operator } = config;
  const contact = operator.contact.includes("@") ? `mailto:${operator.contact}` : operator.contact;
  return (
    <>
      <a class="skip" href="#content">{t("app.skip")}</a>
      <header class="no-print">
        {config.demo && <p class="ribbon">{t("app.demo")}</p>}
        <div class="bar-top">
          <Link to="/" class="brand">
            <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
              <path d="M16 14v10" />
              <circle cx="16" cy="8.5" r="1.2" class="dot" />
              <path d="M8.5 13a8.5 10.5 0 0 0 2 11.500M23.5 13a8.5 10.5 0 0 1-2 11.5" />
            </svg>
            <span>{t("app.name")}</span>
          </Link>
          <nav class="bar-nav" aria-label={t("app.name")}>
            <Link to="/me">{t("app.me")}</Link>
            <div class="languages" role="group" aria-label={t("app.language")}>
              {languages.map((l) => (
                <button
                  key={l}
                  type="button"
                  lang={l}
                  aria-pressed={l === lang}
                  aria-label={`${l.toUpperCase()} ${languageNames[l]}`}
                  onClick={() => {
                    setLang(l);
                  }}
                >
                  {l.toUpperCase()}
                </button>
              ))}
            </div>
          </nav>
        </div>
      </header>
      <main id="content" tabIndex={-1}>{children}</main>
      <footer class="bar-foot no-print">
        <span>{t("app.run_by", { operator: operator.name })}</span>
        {operator.privacy_url !== "" && <a href={operator.privacy_url} rel="noopener">{t("app.privacy")}</a>}
        {operator.accessibility_url !== "" && <a href={operator.accessibility_url} rel="noopener">{t("app.accessibility")}</a>}
        {operator.contact !== "" && <a href={contact} rel="noopener">{t("app.contact")}</a>}
        <span class="faint">{t("app.version", { version: config.version })}</span>
      </footer>
    </>
  );
}
